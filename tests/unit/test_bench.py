"""What the benchmark says of its figures."""

from __future__ import annotations

import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson

from bench.goals import judge
from bench.picture import draw
from bench.profiling.statements import _sum_up
from bench.report import as_text, write_json
from bench.results import Row
from bench.workloads import Shape, fresh_releases, resolving_releases
from consumer.contracts import decode
from consumer.handlers.references import find_references

ROWS = [
    Row("W1", "release-consumer", 1000, 1.0, 120.0),
    Row("W1", "copy", 1400, 1.0),
    Row("W1", "row-by-row", 100, 5.0, 80.0),
    Row("W3", "release-consumer", 16000, 1.0, 257.0),
    Row("latency", "release-consumer", 100, 1.0, 120.0, {"medianMs": 151.0, "p99Ms": 499.0}),
]


def test_goals_are_judged() -> None:
    assert [(finding.about, finding.found, finding.met) for finding in judge(ROWS)] == [
        ("W1 against copy", "0.71", True),
        ("W1 against row-by-row", "50.00", True),
        ("W3 against W1", "16.00", True),
        ("latency, median", "151 ms", False),
        ("latency, p99", "499 ms", True),
        ("memory of a worker, most of all rows", "257 MiB", False),
    ]


def test_the_results_file(tmp_path: Path) -> None:
    path = tmp_path / "results" / "today.json"
    write_json(path, {"cores": 2}, {"fsync": "on"}, ROWS)
    document = orjson.loads(path.read_bytes())
    assert list(document) == ["machine", "settings", "rows"]
    assert document["rows"][1] == {
        "workload": "W1",
        "system": "copy",
        "eventsPerSecond": 1400.0,
        "residentMiB": None,
        "events": 1400,
        "seconds": 1.0,
    }
    assert document["rows"][4]["medianMs"] == 151.0


def test_the_table_tells_goals_and_machine() -> None:
    text = as_text({"cores": 2}, {"fsync": "on"}, ROWS)
    assert "cores 2" in text
    assert "fsync on" in text
    last = " ".join(text.splitlines()[-1].split())
    assert last == "memory of a worker, most of all rows 257 MiB at most 256 MiB not met"


def test_the_picture_has_a_bar_for_each_row_of_a_workload() -> None:
    svg = ET.fromstring(draw(ROWS))  # noqa: S314  # it was just made
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1,000", "1,400", "20", "16,000"} <= set(texts)


def test_the_same_workload_is_made_again() -> None:
    shape = Shape(commits=4, files=2)
    made = [fresh_releases("W2", shape, first=3, measured=5) for _ in range(2)]
    assert made[0] == made[1]
    events = [decode(orjson.dumps(document), None, max_bytes=10**6) for document in made[0].first + made[0].measured]
    assert len({event.id for event in events}) == 8
    assert len({commit["id"] for document in made[0].measured for commit in document["data"]["commits"]}) == 20


def test_every_commit_names_a_group_of_the_catalog() -> None:
    workload = resolving_releases("W4", Shape(commits=3), first=2, measured=4)
    known = {(group["data"]["organization"], group["data"]["shortId"]) for group in workload.catalog}
    named = [
        (document["data"]["organization"], *find_references(commit["message"]))
        for document in workload.first + workload.measured
        for commit in document["data"]["commits"]
    ]
    assert sorted(named) == sorted(known)
    assert len(named) == 18


def test_statements_are_summed_up_by_their_shape() -> None:
    head = "2026-11-23 12:00:00.000 UTC [1] mine LOG:  duration:"
    log = [
        f"{head} 2.000 ms  statement: SELECT *\n",
        "\tFROM release -- a comment\n",
        "\tWHERE id = 7 AND version IN ('a''b', 'c')\n",
        f"{head} 1.000 ms  statement: COMMIT\n",
        f"{head} 4.000 ms  statement: SELECT * FROM release WHERE id = 8 AND version IN ('d')\n",  # noqa: S608  # never run
        f"{head.replace('mine', 'other')} 9.000 ms  statement: COMMIT\n",
    ]
    lines = [" ".join(line.split()) for line in _sum_up(iter(log), "mine")]
    assert lines == [
        "6.0 ms 2 x 3.00 ms SELECT * FROM release WHERE id = ? AND version IN (?)",
        "1.0 ms 1 x 1.00 ms COMMIT",
    ]


def test_the_wheel_holds_no_benchmark() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["consumer"]
