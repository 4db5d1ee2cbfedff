"""The catalogue of metrics: what a worker tells Prometheus on ``/metrics`` (``RELEASE_CONSUMER_HTTP_PORT``)."""

from __future__ import annotations

from prometheus_client import Counter, Histogram, start_http_server

from consumer.errors import SettingsError

SET_COMMITS_DURATION = Histogram(
    "release_set_commits_duration_seconds",
    "Time from reading the rows of a batch to having written them, once for each commit list set (SEMANTICS 4.6).",
)
EVENTS = Counter(
    "release_consumer_events",
    "Events by what became of them: applied, duplicate, parked, or dead.",
    ["fate"],
)
ANNOUNCEMENTS = Counter("release_consumer_announcements", "Announcements that Kafka has committed.")


def serve(port: int) -> None:
    """Serve ``/metrics`` from a thread of its own, on all addresses.

    Raises:
        SettingsError: the port is taken or may not be opened.
    """
    try:
        start_http_server(port)
    except OSError as error:
        message = f"RELEASE_CONSUMER_HTTP_PORT: cannot listen on port {port}: {error.strerror}; choose another"
        raise SettingsError(message) from None
