"""Batches that are stuck in a COPY: the one place where PostgreSQL waits for a client without any time-out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import first_line
from consumer.store.database import sql, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = logging.getLogger(__name__)

_GRACE_SECONDS = 2.0


def end_stuck_copies(engine: Engine, statement_timeout_seconds: float) -> None:
    """End the sessions that hold rows of partitions in a COPY whose data does not come; never raises.

    Their client was stopped, or something in between forwards nothing. PostgreSQL looks at ``statement_timeout``
    only when data comes: this does what it would have done. For whoever waits for such a row in vain.

    Args:
        engine: PostgreSQL, as the user that the workers have.
        statement_timeout_seconds: what every worker has; a COPY that lasts much longer gets no data.
    """
    try:
        with transaction(engine) as cursor:
            cursor.execute(sql("end_stuck_copies"), {"seconds": statement_timeout_seconds + _GRACE_SECONDS})
            ended = cursor.fetchall()
    except (psycopg2.Error, SQLAlchemyError) as error:
        log.warning("PostgreSQL: %s", first_line(error))
        return
    for pid, name in ended:
        log.warning("session %s of worker %s was stuck in a COPY; it is ended", pid, name)
