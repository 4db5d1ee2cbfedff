"""Versions as Sentry's release parser reads them; what is expected here is what the parser itself says."""

from __future__ import annotations

import pytest

from consumer.store.semver import ReleaseVersion, parse_release_version

NONE = ReleaseVersion()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        # The examples of Sentry's own tests of what a semantic version is.
        ("fake_package@1.0.0", ("fake_package", 1, 0, 0, 0, "", None, None)),
        ("fake_package@1.0.0-alpha", ("fake_package", 1, 0, 0, 0, "alpha", None, None)),
        ("fake_package@1.0.0-alpha.1", ("fake_package", 1, 0, 0, 0, "alpha.1", None, None)),
        ("fake_package@1.0.0-alpha.beta", ("fake_package", 1, 0, 0, 0, "alpha.beta", None, None)),
        ("fake_package@1.0.0-rc.1+43", ("fake_package", 1, 0, 0, 0, "rc.1", "43", 43)),
        ("org.example.FooApp@1.0+whatever", ("org.example.FooApp", 1, 0, 0, 0, "", "whatever", None)),
        # Those of the release parser.
        ("@foo.bar.baz--blah@1.2.3-dev+BUILD-code", ("@foo.bar.baz--blah", 1, 2, 3, 0, "dev", "BUILD-code", None)),
        ("@foo.bar.baz--blah@1.0a+build-code", ("@foo.bar.baz--blah", 1, 0, 0, 0, "a", "build-code", None)),
        (
            "org.example.FooApp@1.0rc1+20200101100",
            ("org.example.FooApp", 1, 0, 0, 0, "rc1", "20200101100", 20200101100),
        ),
        ("org.example.FooApp@1.0rc1+1.2.3", ("org.example.FooApp", 1, 0, 0, 0, "rc1", "1.2.3", None)),
        ("foo.bar.baz@1.2.3.04", ("foo.bar.baz", 1, 2, 3, 4, "", None, None)),
    ],
)
def test_examples_of_upstream(version: str, expected: tuple[object, ...]) -> None:
    assert parse_release_version(version) == ReleaseVersion(*expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "prerelease"),
    [
        ("a@1-a1", "a1"),
        ("a@1.0a1", "a1"),
        ("a@1.0-", ""),
        ("a@1.0--", "-"),
        ("a@1.0-.b", ".b"),
        ("a@1.0-A.0", "A.0"),
        ("a@1.0-00a", "00a"),
        (" a@1.0-x\u00a0", "x"),
    ],
)
def test_prereleases(version: str, prerelease: str) -> None:
    parsed = parse_release_version(version)
    assert (parsed.package, parsed.major, parsed.prerelease) == ("a", 1, prerelease)


@pytest.mark.parametrize(
    ("build", "number"),
    [("0010", 10), ("9223372036854775807", 2**63 - 1), ("9223372036854775808", None), ("-5", None), ("1.2", None)],
)
def test_a_build_is_a_number_where_it_fits_63_bits(build: str, number: int | None) -> None:
    parsed = parse_release_version(f"a@1.0+{build}")
    assert (parsed.build_code, parsed.build_number) == (build, number)


@pytest.mark.parametrize("length", [11, 12, 15, 16, 20])
def test_a_number_as_long_as_a_hash_is_a_hash(length: int) -> None:
    assert (parse_release_version("a@" + "1".zfill(length)).major is None) == (length in {12, 16, 20})


@pytest.mark.parametrize(
    "version",
    [
        "",
        "helloworld",
        "alpha@helloworld",
        "alpha@helloworld-1.0",
        "org.example.FooApp@9223372036854775808.1.2.3-r1+12345",
        "a@1.9223372036854775808",
        "a@99999999999999999999.1",
        "1.0.0",
        "@1.0.0",
        "a@b@1.0",
        "a@1.2.3.4.5",
        "a@1.0.",
        "a@1a1",
        "a@1.0A1",
        "a@1.0a01",
        "a@1.0-01",
        "a@1.0-a.01",
        "a@1.0-a..b",
        "a@1.0-\u00e9",
        "a@\u0661.0",
        "a@1.0+",
        "a@1.0+a+b",
        "a@1.0 (123)",
        "a\u0001@1.0",
        "a@1.0\u001c",
        "a86d127c4b2f23a0a862620280427dcc01c78676",
        "some-package@a86d127c4b2f23a0a862620280427dcc01c78676",
        "package@085240e737828d8326719bf97730188e927e49ca",
    ],
)
def test_what_is_no_semantic_version_has_no_columns(version: str) -> None:
    assert parse_release_version(version) == NONE


def test_a_long_version_takes_no_time() -> None:
    for tail in ("1" * 195, "1." + "a-" * 96, "1-" + "a.0" * 64 + "_", "@" * 196):
        assert parse_release_version(f"a@{tail}é") == NONE
