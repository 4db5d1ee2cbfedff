"""The steps in words, as traces tell them."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """One step of one worker; what is in capitals has happened when it is over."""

    JOIN = "hears that it was expelled, forgets the partition and JOINS the group again"
    ASSIGN = "is GIVEN the partition by the group"
    EXPEL = "is EXPELLED from the group, and does not know"
    REVOKE = "has the partition REVOKED by the group"
    CRASH = "CRASHES and starts anew"
    REPLAY = "an operator MOVES THE OFFSET back to 0 and raises the epoch"
    REPLAY_ONLY = "an operator MOVES THE OFFSET back to 0, and leaves the epoch"
    CLAIM = "RAISES THE EPOCH, reading offset and number"
    LOOK_AGAIN = "finds another epoch in PostgreSQL, and forgets its claim"
    APPLY = "APPLIES the next event"
    FENCED = "tries to apply the next event, is FENCED, and forgets its claim"
    HEAR = "hears that PostgreSQL committed"
    LOSE_COMMIT = "LOSES the answer to COMMIT"
    APPLY_AGAIN = "tries the same batch again, and APPLIES it"
    WAS_COMMITTED = "tries the same batch again, is fenced, and finds that it was committed"
    GIVE_UP = "tries the same batch again, is FENCED, and forgets its claim"
    FETCH_EARLY = "FETCHES the committed offset, without having raised the epoch"
    INIT = "starts a producer, which ABORTS what its transactional id left open"
    FETCH = "FETCHES the committed offset with its number"
    PRODUCE = "begins a transaction and PRODUCES what is not announced"
    STAGE = "SENDS THE OFFSETS to the transaction"
    REFUSED = "sends the offsets, is refused as no member, and ABORTS"
    CHECK = "CHECKS that the epoch is still its own"
    LOST = "finds that the epoch is not its own any more, and ABORTS"
    COMMIT = "COMMITS the transaction"
    LOSE_END = "COMMITS the transaction, and loses the answer"
    FAIL = "learns that its transaction has ended without it"
    TIME_OUT = "left a transaction open, which Kafka ABORTS after the time-out"
    STALL = "stalls for so long that Kafka ABORTS its transaction"


DISTURBANCES = frozenset(
    {Step.EXPEL, Step.REVOKE, Step.CRASH, Step.REPLAY, Step.REPLAY_ONLY, Step.LOSE_COMMIT, Step.LOSE_END, Step.STALL}
)
"""What a quiet run does without."""

NOBODYS = frozenset({Step.REPLAY, Step.REPLAY_ONLY})
"""What no worker does."""
