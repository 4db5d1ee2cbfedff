"""Publishing events, typed, validated before they leave, and confirmed by Kafka; and reading what is announced.

Example:
    A build announces a release with its commits; run again, it sends the same event ids, and nothing changes::

        from consumer.client import CommitData, Publisher
        from consumer.settings import load_settings

        with Publisher(load_settings(), source="ci:example/web") as publisher:
            publisher.release_created(organization="acme", version="web@1.4.0", projects=["web"])
            publisher.commits_pushed(
                organization="acme",
                version="web@1.4.0",
                commits=[CommitData("3f1c8e2", repository="example/web", message="Fixes WEB-12")],
            )

    Another system follows what happened::

        from consumer.client import Subscriber

        with Subscriber(load_settings()) as subscriber:
            for activity in subscriber.activities():
                print(activity["type"], activity["subject"])
"""

from consumer.client.catalog_events import OrganizationFlags, OrganizationOptions, TrustedRelay
from consumer.client.documents import Document, Documents
from consumer.client.publisher import Publisher
from consumer.client.records import OutgoingRecord, to_record
from consumer.client.subscriber import Subscriber
from consumer.contracts.events import ABSENT, Actor, CommitData, ExternalIssueData, RefData, ResolutionData

__all__ = [
    "ABSENT",
    "Actor",
    "CommitData",
    "Document",
    "Documents",
    "ExternalIssueData",
    "OrganizationFlags",
    "OrganizationOptions",
    "OutgoingRecord",
    "Publisher",
    "RefData",
    "ResolutionData",
    "Subscriber",
    "TrustedRelay",
    "to_record",
]
