"""Publishing events: typed, validated before they leave, and confirmed by Kafka.

Example:
    A build announces a release with its commits; run again, it sends the same event ids, and nothing changes::

        from consumer.client import CommitData, Publisher
        from consumer.settings import load_settings

        with Publisher(load_settings(), "127.0.0.1:9092", source="ci:example/web") as publisher:
            publisher.release_created(organization="acme", version="web@1.4.0", projects=["web"])
            publisher.commits_pushed(
                organization="acme",
                version="web@1.4.0",
                commits=[CommitData("3f1c8e2", repository="example/web", message="Fixes WEB-12")],
            )
"""

from consumer.client.catalog_events import OrganizationFlags, OrganizationOptions, TrustedRelay
from consumer.client.documents import Document, Documents
from consumer.client.publisher import Publisher
from consumer.client.records import OutgoingRecord, to_record
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
    "TrustedRelay",
    "to_record",
]
