"""What failures mean to people: one line with what, where and the remedy."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from consumer.errors import ReleaseConsumerError

if TYPE_CHECKING:
    from collections.abc import Callable

_UNDEFINED_TABLE = "42P01"


def explain(error: Exception) -> str | None:
    """The line for a failure that people can do something about; ``None`` for a fault of the program."""
    if isinstance(error, ReleaseConsumerError):
        return _one_line(error)
    for (module, name), explain_one in _EXPLANATIONS.items():
        # An error of a library that nothing has imported yet cannot be: this keeps the start fast.
        library = sys.modules.get(module)
        if library is not None and isinstance(error, getattr(library, name)):
            return explain_one(error)
    return None


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _explain_programming_error(error: Any) -> str | None:
    if getattr(error.orig, "pgcode", None) == _UNDEFINED_TABLE:
        return "the database is not set up; run `release-consumer setup`"
    return None


def _explain_postgresql(error: Any) -> str:
    return (
        f"PostgreSQL failed: {_one_line(error.orig)}; "
        "check RELEASE_CONSUMER_DATABASE_URL, or run `release-consumer stack up`"
    )


def _explain_redis(error: Exception) -> str:
    return f"Redis failed: {_one_line(error)}; check RELEASE_CONSUMER_REDIS_URL, or run `release-consumer stack up`"


def _explain_kafka(error: Exception) -> str:
    cause: Any = error.args[0] if error.args else error
    reason = cause.str() if hasattr(cause, "str") else cause
    name = cause.name() if hasattr(cause, "name") else ""
    return f"Kafka failed: {_one_line(reason)}; {_kafka_remedy(name, str(reason))}"


def _kafka_remedy(name: str, reason: str) -> str:
    """What to do about an error of Kafka or its client, by the error's name."""
    if name == "_INVALID_ARG":
        named = re.search(r'property:? "([\w.]+)"', reason)
        variable = named[1].replace(".", "_").upper() if named else "*"
        return f"correct or remove RELEASE_CONSUMER_KAFKA__{variable}"
    if name.endswith("_AUTHORIZATION_FAILED"):
        return "let an operator of Kafka grant this user that right"
    return _KAFKA_REMEDIES.get(
        name, "check RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS, or run `release-consumer stack up`"
    )


_KAFKA_REMEDIES = {
    "TOPIC_EXCEPTION": "correct RELEASE_CONSUMER_TOPICS__*",
    "INVALID_PARTITIONS": "correct RELEASE_CONSUMER_TOPIC_PARTITIONS",
    "INVALID_REPLICATION_FACTOR": "correct RELEASE_CONSUMER_TOPIC_REPLICATION_FACTOR, or start more brokers",
    "POLICY_VIOLATION": "create the topics by hand, as Kafka's policy wants them",
    "_AUTHENTICATION": "correct RELEASE_CONSUMER_KAFKA__SASL_*",
    "SASL_AUTHENTICATION_FAILED": "correct RELEASE_CONSUMER_KAFKA__SASL_*",
    "_SSL": "correct RELEASE_CONSUMER_KAFKA__SSL_*",
}

_EXPLANATIONS: dict[tuple[str, str], Callable[[Any], str | None]] = {
    ("sqlalchemy.exc", "ProgrammingError"): _explain_programming_error,
    ("sqlalchemy.exc", "OperationalError"): _explain_postgresql,
    ("sqlalchemy.exc", "InterfaceError"): _explain_postgresql,
    ("redis", "RedisError"): _explain_redis,
    ("confluent_kafka", "KafkaException"): _explain_kafka,
}
