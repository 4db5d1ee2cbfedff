"""Keys of listings: what compares as texts must come as versions do, and as their starts do."""

from __future__ import annotations

from random import Random

import pytest

from consumer.store.listing_keys import ABOVE_ALL, above_start, folded_version, precedence, ranges
from consumer.store.semver import parse_release_version

ASCENDING = [
    *(
        "a@0",
        "a@0.0.1",
        "a@0.9",
        "a@0.10",
        "a@1-0",
        "a@1-2",
        "a@1-10",
        "a@1-12345678901234567890",
        "a@1--",
        "a@1-alpha",
    ),
    *("a@1-alpha.1", "a@1-alpha.2", "a@1-alpha.10", "a@1-alpha.1-", "a@1-alpha.beta", "a@1-alpha-", "a@1-b", "a@1"),
    *("a@1.0.0.1", "a@1.0.1", "a@2", "a@10", "a@123456789012.0", "a@9223372036854775807"),
]
LETTERS = "aB@1.-\xdf\u03a3\u0130\ud7ff\ue000\U0010ffff"


def test_precedence_ascends_with_the_version() -> None:
    keys = [precedence(parse_release_version(version)) for version in ASCENDING]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert "" < keys[0] < keys[-1] < ABOVE_ALL


@pytest.mark.parametrize("version", ["1.0", "nightly", "a@18446744073709551616"])
def test_what_is_no_semantic_version_has_none(version: str) -> None:
    assert precedence(parse_release_version(version)) == ""


@pytest.mark.parametrize(("one", "other"), [("A@1.0.0", "b@1"), ("a@1+7", "a@1.0+8"), ("a@1.0-rc", "a@1.0rc")])
def test_package_build_and_spelling_do_not_count(one: str, other: str) -> None:
    assert precedence(parse_release_version(one)) == precedence(parse_release_version(other))


def test_what_starts_with_a_text_is_a_range() -> None:
    random = Random(1)

    def text(most: int) -> str:
        return folded_version("".join(random.choices(LETTERS, k=random.randint(0, most))))

    for _ in range(20_000):
        start, version = text(3), text(5)
        end = above_start(start)
        in_range = start.encode() <= version.encode() and (end is None or version.encode() < end.encode())
        assert in_range == version.startswith(start), (start, version)


@pytest.mark.parametrize(
    ("start", "matching", "passed_over"),
    [
        ("a@1", ["a@1", "a@1.5-rc", "a@10", "a@19.2", "a@100", "a@1999"], ["a@0.9", "a@2", "a@20", "a@99", "a@200"]),
        ("a@1.", ["a@1.0", "a@1.99"], ["a@0.9", "a@2", "a@10.0"]),
        ("a@1.2", ["a@1.2", "a@1.20.3", "a@1.200"], ["a@1", "a@1.1", "a@1.3", "a@2.2", "a@12"]),
        ("a@0", ["a@0", "a@0.7", "a@0-rc"], ["a@1", "a@10"]),
        ("a@9223372036854775807", ["a@9223372036854775807"], ["a@1", "a@922337203685477580"]),
    ],
)
def test_versions_that_start_like_this_are_in_few_ranges(
    start: str, matching: list[str], passed_over: list[str]
) -> None:
    spans = [(low, high) for stem, low, high in ranges(start) or [] if stem == "a@"]
    for versions, expected in ((matching, 1), (passed_over, 0)):
        for version in versions:
            key = precedence(parse_release_version(version))
            assert sum(low <= key < high for low, high in spans) == expected, version


@pytest.mark.parametrize("start", ["", "a", "a@"])
def test_a_start_without_numbers_leaves_no_range(start: str) -> None:
    assert ranges(start) == []


@pytest.mark.parametrize("start", ["a@1.2.3.4.5", "a@9223372036854775807000", "a@" + "1" * 5000 + ".1"])
def test_what_no_semantic_version_starts_with_is_in_no_range(start: str) -> None:
    assert ranges(start) == []


@pytest.mark.parametrize("start", ["a@x", "@a", "a@1.2-", "a@1.2+7", "a@1.-", "a@1.2rc"])
def test_ranges_do_not_tell_what_says_more_than_numbers(start: str) -> None:
    assert ranges(start) is None
