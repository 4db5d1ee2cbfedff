"""What every provider of the stack and docker-compose.yml agree on: versions, images, the cluster's locale."""

from __future__ import annotations

KAFKA = "4.1.2"
POSTGRESQL_MAJOR = 18
VALKEY_MAJOR = 8

KAFKA_IMAGE = f"apache/kafka:{KAFKA}"
POSTGRESQL_IMAGE = f"postgres:{POSTGRESQL_MAJOR}"
VALKEY_IMAGE = f"valkey/valkey:{VALKEY_MAJOR}"

# Sorting that depends on no locale of the machine.
POSTGRESQL_INITDB_ARGUMENTS = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
