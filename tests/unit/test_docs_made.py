"""What is made from the schemas: pages and the AsyncAPI document, and that a stale one is noticed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from asyncapi_document import asyncapi_document, asyncapi_text
from check_asyncapi import faults
from event_pages import pages
from make_docs import stale, write

from consumer.contracts import reasons
from consumer.contracts.schemas import COMMON, SUFFIX, event_types, load_announcements, load_schemas
from consumer.settings import Topics

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
SCHEMAS = Path(__file__).parents[2] / "schemas"


def announced_types() -> list[str]:
    return [name.removesuffix(SUFFIX) for name in load_announcements() if name != COMMON]


class TestPages:
    def test_a_page_per_event_with_every_field_its_example_and_its_reasons(self) -> None:
        for type_ in event_types():
            page = pages()[f"{type_}.md"]
            data = load_schemas()[type_ + SUFFIX]["properties"]["data"]["properties"]
            example = (SCHEMAS / "examples" / type_ / "valid" / "full.json").read_text().strip()

            assert all(f"| `{name}` |" in page for name in data)
            assert example in page
            assert all(f"| `{reason}` |" in page for reason in load_schemas()[type_ + SUFFIX].get("x-reasons", {}))

    def test_every_announcement_has_its_section(self) -> None:
        assert all(f"## `{type_}`" in pages()["announcements.md"] for type_ in announced_types())

    def test_reasons_that_any_event_may_die_of_are_those_of_decoding_and_the_database(self) -> None:
        decoding = {value for name, value in vars(reasons).items() if name.isupper()}

        assert load_schemas()[COMMON]["$defs"]["cloudevent"]["x-reasons"].keys() == decoding | {"cannot-be-applied"}

    def test_links_inside_a_page_lead_to_a_heading(self) -> None:
        for page in pages().values():
            headings = {line.lstrip("# ").lower().replace(" ", "-") for line in page.splitlines() if line[:1] == "#"}
            anchors = {part.partition(")")[0] for part in page.split("](#")[1:]}
            assert anchors <= headings


class TestAsyncApi:
    def test_document_is_valid_and_its_references_lead_somewhere(self) -> None:
        assert faults(yaml.safe_load(asyncapi_text()), SCHEMAS) == []

    def test_channels_are_the_topics_and_hold_every_message(self) -> None:
        channels = asyncapi_document()["channels"].values()

        assert [channel["address"] for channel in channels] == list(Topics().model_dump().values())
        assert {name for channel in channels for name in channel["messages"]} == {*event_types(), *announced_types()}

    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (lambda document: document.pop("info"), '"info" is a required property'),
            (lambda document: document.update(asyncapi="2.6.0"), "asyncapi: "),
            (lambda document: document["channels"].pop("activity"), "#/channels/activity leads nowhere"),
            (
                lambda document: document["components"]["messages"]["dead-letter"]["payload"]["schema"].update(
                    {"$ref": "./gone.schema.json"}
                ),
                "./gone.schema.json leads nowhere",
            ),
        ],
    )
    def test_broken_document(self, spoil: Callable[[Json], Any], fault: str) -> None:
        document = deepcopy(asyncapi_document())
        spoil(document)

        assert any(fault in found for found in faults(document, SCHEMAS))


class TestStale:
    def test_what_was_just_made_is_not_stale(self, tmp_path: Path) -> None:
        (tmp_path / "schemas").mkdir()
        write(tmp_path)

        assert stale(tmp_path) == []

    def test_missing_changed_and_left_over_files_are_told_and_mended(self, tmp_path: Path) -> None:
        (tmp_path / "schemas").mkdir()
        write(tmp_path)
        pages_folder = tmp_path / "docs" / "events"
        (pages_folder / "release-created.md").unlink()
        (tmp_path / "schemas" / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
        (pages_folder / "release-renamed.md").write_text("old")

        assert [file.name for file in stale(tmp_path)] == ["asyncapi.yaml", "release-created.md", "release-renamed.md"]
        write(tmp_path)
        assert stale(tmp_path) == []


@pytest.mark.parametrize("name", load_announcements())
def test_schema_of_an_announcement_is_a_schema_with_words(name: str) -> None:
    schema = load_announcements()[name]

    assert jsonschema_rs.meta.is_valid(schema)
    assert schema["$id"] == name
    assert schema["title"]
    assert schema["description"]
