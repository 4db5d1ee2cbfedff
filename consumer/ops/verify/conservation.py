"""Conservation: every offset that was passed has one fate, and every fate has its row (DESIGN section 1)."""

from __future__ import annotations

from consumer.ops.verify.checks import Check

_COUNTERS = (
    "nothing but a change by hand, or a restore of some tables only, does this: restore the database as a whole, or"
    " set the total right once it is known what happened"
)

CONSERVATION = (
    Check(
        "conservation",
        "consumer_offset",
        "applied + duplicate + parked + dead + absent + lost is the number of offsets passed",
        _COUNTERS,
    ),
    Check(
        "position",
        "consumer_offset",
        "the next offset lies between the first and the highest so far, and no total is negative",
        "move the offset by `release-consumer replay TOPIC --from-offset P:N`, never beyond what was applied",
    ),
    Check("parked-count", "consumer_offset", "there are as many parked events as the partition has counted", _COUNTERS),
    Check("dead-count", "consumer_offset", "there are as many dead letters as the partition has counted", _COUNTERS),
    Check(
        "applied-events",
        "consumer_offset",
        "as many ids of events are remembered, or were past their time, as events were applied or wait",
        _COUNTERS,
    ),
    Check(
        "fates",
        "dead_letter",
        "an event is parked or a dead letter, not both, and a letter that is tried again is parked",
        "remove the row that is too many; a letter without its parked event: set its status to 0, and add 1 to dead and"
        " take 1 from parked in consumer_offset",
    ),
    Check(
        "reached",
        "activity",
        "what is kept of an event has an offset that its partition has reached",
        "consumer_offset was set back or restored by hand: restore the database as a whole",
    ),
    Check(
        "outbox-numbers",
        "outbox",
        "the outbox of a partition ends with the number before next_seq, without gaps",
        "rows were removed or added by hand: restore them; the announcer passes over numbers that are missing",
    ),
    Check(
        "outbox-targets", "outbox", "a row of the outbox points to an activity or to a dead letter", "remove the row"
    ),
)
