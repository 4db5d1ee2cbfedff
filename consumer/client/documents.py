"""Events as documents, for those who send them by other means or look at them first."""

from __future__ import annotations

from consumer.client.catalog_events import CatalogEvents
from consumer.client.making import Document
from consumer.client.release_events import ReleaseEvents

__all__ = ["Document", "Documents"]


class Documents(ReleaseEvents[Document], CatalogEvents[Document]):
    """Makes CloudEvents without sending or checking them: each method returns the event in structured form.

    Example:
        >>> Documents("ci:example/web").release_deleted(organization="acme", version="1.0")["type"]
        'release-deleted'
    """

    def _take(self, document: Document) -> Document:
        return document
