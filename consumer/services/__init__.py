"""Real services, everywhere: where Kafka, PostgreSQL and Redis answer, and who runs them."""

from __future__ import annotations

from consumer.services.model import Services
from consumer.services.resolve import resolve_service, resolve_services

__all__ = ["Services", "resolve_service", "resolve_services"]
