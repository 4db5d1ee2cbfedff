"""Real services, everywhere: where Kafka, PostgreSQL and Redis answer, and who runs them."""

from __future__ import annotations

from consumer.services.model import Services
from consumer.services.resolve import remembered_servers, resolve_service, resolve_services

__all__ = ["Services", "remembered_servers", "resolve_service", "resolve_services"]
