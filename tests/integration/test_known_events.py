"""Events that took effect are remembered by their ids, with what their records looked like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from consumer.contracts.records import Record
from consumer.store.database import transaction
from consumer.store.processed_events import digest_of, find_fingerprints
from tests.conformance.builders import created
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from consumer.services import Services


def test_an_event_that_took_effect_is_remembered_with_the_fingerprint_of_its_record(
    services: Services, database_url: str
) -> None:
    applier = DirectApplier(database_url, services.redis_url)
    first, bad = as_cloudevent(created(version="1.0")), as_cloudevent(created(version="latest"))
    digests = [digest_of(event["source"], event["id"]) for event in (first, bad)]
    applier.apply([first, bad])
    with transaction(applier.engine) as cursor:
        known = find_fingerprints(cursor, digests)
    applier.close()
    assert known == {digests[0]: Record("any", 0, 0, None, orjson.dumps(first)).fingerprint}
