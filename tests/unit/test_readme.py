"""README and docs: what they name exists, and the events they show are valid."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any, ClassVar, Self

import click
import orjson
import pytest

from consumer import client, contracts
from consumer.cli.main import COMMANDS, root
from consumer.cli.settings import setting_lines
from consumer.client import Publisher
from consumer.contracts import reasons, validate
from consumer.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS]

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_LINE = re.compile(r"(?:`|^ {4}|\| )release-consumer(?P<words>(?: [^`|#\n]+)?)", re.MULTILINE)
FILE_NAME = re.compile(r"`((?:consumer|schemas|docs|tests)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?://)(?P<target>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
CITATION = re.compile(r"\b(?P<page>SEMANTICS|DESIGN) (?:sections? )?(?P<section>\d+)(?:\.|, step )?(?P<point>\d+)?")
PRIVATE = re.compile(r"(?:/tmp|/home)/|127\.0\.0\.1", re.IGNORECASE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def find_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words call, and the words after its name."""
    command = root.get_command(click.Context(root), words[0])
    assert command is not None, f"there is no command {words[0]}"
    rest = words[1:]
    if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"there is no command {' '.join(words[:2])}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


@each_page
def test_commands_and_options_exist(page: Path) -> None:
    for match in COMMAND_LINE.finditer(page.read_text()):
        words = match["words"].split()
        if not words:
            continue
        command, rest = find_command(words)
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in rest:
            if word.startswith("--"):
                assert word in known | {"--help"}, f"{page.name}: {match[0].strip()}: no option {word}"


@each_page
def test_options_named_alone_exist(page: Path) -> None:
    commands = [find_command([name])[0] for name in COMMANDS]
    commands += [
        below for command in commands if isinstance(command, click.Group) for below in command.commands.values()
    ]
    parameters = [parameter for command in commands for parameter in command.params]
    known = {"--help", *(name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts))}
    for option in re.findall(r"`(--[a-z-]+)`", page.read_text()):
        assert option in known, f"{page.name}: no option {option}"


@each_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", page.read_text(), re.MULTILINE):
        assert target in targets, f"{page.name}: no make {target}"


@each_page
def test_settings_exist(page: Path) -> None:
    known = {line.variable for line in setting_lines(Settings.model_construct())}
    for variable in re.findall(rf"{ENV_PREFIX}[A-Z_]*[A-Z]", page.read_text()):
        if not variable.startswith(f"{ENV_PREFIX}KAFKA__"):
            assert variable in known, f"{page.name}: no setting {variable}"


@each_page
def test_links_and_files_exist(page: Path) -> None:
    text = page.read_text()
    for link in LINK.finditer(text):
        target = (page.parent / link["target"]).resolve() if link["target"] else page
        assert target.exists(), f"{page.name}: {link['target']} does not exist"
        if link["anchor"]:
            anchors = {
                heading.lower().replace(" ", "-")
                for heading in re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            }
            assert link["anchor"] in anchors, f"{page.name}: {link['target']} has no heading {link['anchor']}"
    for name in FILE_NAME.findall(text):
        assert (ROOT / name).exists(), f"{page.name}: {name} does not exist"


@each_page
def test_nothing_of_this_machine_is_named(page: Path) -> None:
    assert not PRIVATE.search(page.read_text())


def events(page: Path) -> list[dict[str, Any]]:
    """The CloudEvents in fenced blocks of a page."""
    documents: list[dict[str, Any]] = []
    for fence in FENCE.finditer(page.read_text()):
        if fence["language"] == "json":
            documents.append(orjson.loads(fence["text"]))
        elif fence["language"] == "jsonl":
            documents += [orjson.loads(line) for line in fence["text"].splitlines()]
    return documents


@each_page
def test_events_are_valid(page: Path) -> None:
    for event in events(page):
        assert validate(event) == []


def test_there_are_events_to_check() -> None:
    assert sum(len(events(page)) for page in PAGES) >= 5


def first_cells(page: str) -> set[str]:
    """The words in code in the first cells of the tables of a page."""
    lines = (ROOT / page).read_text().splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("|")]
    return set(re.findall(r"`([a-z-]+)`", " ".join(cells)))


def sources(folder: str) -> dict[Path, str]:
    return {path: path.read_text() for suffix in ("py", "sql") for path in (ROOT / folder).rglob(f"*.{suffix}")}


def test_pages_name_every_event_that_is_applied() -> None:
    handlers = (ROOT / "consumer" / "handlers" / "__init__.py").read_text()
    applied = {getattr(contracts, name).type for name in re.findall(r"case (\w+)\(\)", handlers)}

    assert applied == first_cells("docs/events/README.md")
    assert applied <= first_cells("docs/semantics.md")
    for name in applied:
        assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text()


def test_pages_name_every_activity_that_is_announced() -> None:
    handlers = (ROOT / "consumer" / "handlers" / "facts.py").read_text()
    announced = set(re.findall(r'"(activity\.[a-z.-]+)"', handlers))
    for page in ("semantics.md", "events/announcements.md"):
        assert announced == set(re.findall(r"`(activity\.[a-z.-]+)`", (ROOT / "docs" / page).read_text())), page


def test_operations_name_every_reason_of_dead_letters() -> None:
    text = "".join(sources("consumer").values())
    known = {value for name, value in vars(reasons).items() if name.isupper()}
    known |= set(re.findall(r'(?:\breason = |EventError\(|super\(\).__init__\()"([a-z]+(?:-[a-z]+)*)"', text))
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("## Dead letters")[2].partition("\n## ")[0]
    named = {
        word
        for line in table.splitlines()
        if line.startswith("|")
        for word in re.findall(r"`([a-z-]+)`", line[: line.find("|", 1)])
    }

    assert named == known


@pytest.mark.parametrize("folder", ["consumer", "tests", "bench"])
def test_rules_that_docstrings_cite_exist(folder: str) -> None:
    pages = {"SEMANTICS": "semantics.md", "DESIGN": "design.md"}
    for path, text in sources(folder).items():
        for citation in CITATION.finditer(text):
            page = (ROOT / "docs" / pages[citation["page"]]).read_text()
            _, heading, section = page.partition(f"# {citation['section']}. ")
            assert heading, f"{path.relative_to(ROOT)}: {citation[0]} is not there"
            if citation["point"]:
                point = f"\n{citation['point']}. "
                assert point in section.partition("\n#")[0], f"{path.relative_to(ROOT)}: {citation[0]} is not there"


class Unsent(Publisher):
    """Takes events as a publisher does, but needs no Kafka."""

    taken: ClassVar[list[dict[str, Any]]] = []

    def __enter__(self) -> Self:
        return self

    def publish(self, document: dict[str, Any]) -> str:
        self.taken.append(document)
        return str(document["id"])


def test_python_example_makes_valid_events(monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = [
        fence["text"] for fence in FENCE.finditer((ROOT / "README.md").read_text()) if fence["language"] == "python"
    ]
    monkeypatch.setattr(client, "Publisher", Unsent)
    taken: list[dict[str, Any]] = []
    monkeypatch.setattr(Unsent, "taken", taken)
    monkeypatch.setenv(f"{ENV_PREFIX}KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")

    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  # our own README, as readers run it

    assert [event["type"] for event in taken] == ["release-created", "release-updated", "release-deployed"]
    assert [violation for event in taken for violation in validate(event)] == []


def test_table_of_settings_is_not_stale() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "settings_table.py"))
    page = (ROOT / "docs" / "operations.md").read_text()
    assert page == script["page_with"](script["settings_table"](), page), "run python docs/settings_table.py"
