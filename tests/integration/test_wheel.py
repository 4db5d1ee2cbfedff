"""The wheel holds all that the command needs: schemas, statements, migrations. Not only a checkout works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import orjson
import pytest

from tests.conformance.builders import created
from tests.model.cloudevents import as_cloudevent

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a wheel that was built of this checkout and unpacked, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(unpacked: Path, elsewhere: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command of the wheel, with the packages that it depends on, in another folder."""
    program = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r}); import consumer;"
        f" assert consumer.__file__.startswith({str(unpacked)!r}), consumer.__file__;"
        " from consumer.cli.main import main; main()"
    )
    environment = {**os.environ, "RELEASE_CONSUMER_DATABASE_URL": NOWHERE}
    return subprocess.run(
        [sys.executable, "-P", "-c", program, *arguments],
        cwd=elsewhere,
        env=environment,
        input=given,
        capture_output=True,
        check=False,
    )


def test_events_are_validated_by_the_schemas_of_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    bad = as_cloudevent(created(version="1.0"))
    bad["data"]["version"] = "latest"
    published = run(unpacked, tmp_path, "publish", "-", given=orjson.dumps(bad))
    assert published.returncode == 1
    assert b"line 1: $.data.version: must not be" in published.stderr


@pytest.mark.parametrize(
    "kind", ["store/sql/*.sql", "contracts/schemas/*.schema.json", "store/migrations/versions/*.py"]
)
def test_the_files_that_modules_read_are_in_the_wheel(unpacked: Path, kind: str) -> None:
    source = ROOT / "schemas" if kind.startswith("contracts") else ROOT / "consumer" / Path(kind).parent
    there = {path.name for path in source.glob(Path(kind).name)}
    assert there == {path.name for path in (unpacked / "consumer").glob(kind)}
    assert there
