"""The protocol keeps its promises in every interleaving, and every safeguard is needed.

``PROTOCOL_DISTURBANCES=3`` lets three things go wrong in a run instead of one: minutes, and some gigabytes.
``docs/protocol.md`` tells the traces; a trace that changed is to be copied there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.protocol.explore import STUCK, explore
from tests.protocol.state import Rules

DISTURBANCES = int(os.environ.get("PROTOCOL_DISTURBANCES", "1"))
PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"

# Without a replay no event comes twice: then epoch and offset must do without the ids of the events.
WORLDS = {
    "as it was tried": Rules(remembers_ids=False),
    "an operator replays": Rules(operator_replays=True),
    "Kafka takes offsets from anybody": Rules(remembers_ids=False, kafka_refuses_strangers=False),
    "two workers share a name": Rules(remembers_ids=False, workers_share_a_name=True),
}

TWICE_OUT = "number 1 is announced 2 times"
TWICE_IN = "event 0 is applied 2 times"

# Safeguard -> the protocol without it, disturbances that its failure takes, the promise that is broken.
REMOVED = {
    "check the epoch before committing": (Rules(remembers_ids=False, checks_epoch=False), 1, TWICE_OUT),
    "send the offsets before the check": (Rules(remembers_ids=False, stages_before_check=False), 1, TWICE_OUT),
    "raise the epoch before fetching": (Rules(remembers_ids=False, raises_before_fetch=False), 1, TWICE_OUT),
    "fetch stable offsets": (Rules(remembers_ids=False, fetches_stable=False), 1, TWICE_OUT),
    "read progress back after a failure": (Rules(remembers_ids=False, rereads_progress=False), 1, TWICE_OUT),
    "believe an answer only for its own claim": (Rules(remembers_ids=False, ties_answer_to_claim=False), 2, TWICE_OUT),
    "compare epoch and offset": (Rules(remembers_ids=False, compares_epoch=False, compares_offset=False), 1, TWICE_IN),
    "compare epoch and offset, though ids are remembered": (
        Rules(operator_replays=True, compares_epoch=False, compares_offset=False),
        1,
        STUCK,
    ),
    "compare the offset": (Rules(remembers_ids=False, compares_offset=False), 1, TWICE_IN),
    "remember the ids of events": (Rules(remembers_ids=False, operator_replays=True), 1, TWICE_IN),
    "raise the epoch when an offset is moved": (Rules(operator_replays=True, replay_raises_epoch=False), 1, STUCK),
    "prune only what Kafka has committed": (
        Rules(remembers_ids=False, prunes_only_committed=False),
        1,
        "number 1 is pruned and not announced",
    ),
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("world", WORLDS)
def test_every_run_keeps_all_promises(world: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = explore(WORLDS[world], DISTURBANCES)

    with capsys.disabled():
        print(f"\n{world}, {DISTURBANCES} disturbances: {result.states} states")  # noqa: T201  # asked for
    assert result.failure is None, str(result)
    assert result.states > 10_000


@pytest.mark.parametrize("safeguard", REMOVED)
def test_without_a_safeguard_a_promise_breaks(safeguard: str) -> None:
    rules, disturbances, failure = REMOVED[safeguard]

    result = explore(rules, disturbances)

    assert result.failure == failure
    assert f"### Without: {safeguard}\n" in PAGE.read_text()
    assert str(result) in PAGE.read_text(), f"docs/protocol.md tells another trace than this:\n\n{result}"


def test_the_offset_alone_would_do_for_batches_that_move_it() -> None:
    # Those that move none, such as retries of parked events, have only the epoch; they are not in the model.
    assert explore(Rules(remembers_ids=False, compares_epoch=False), 1).failure is None
