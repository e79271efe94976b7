"""Database connections are reused by later requests."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.signals import request_finished
from django.db import connection


@pytest.mark.usefixtures("committed")
def test_a_connection_is_there_for_the_next_request() -> None:
    def survives() -> bool:
        connection.ensure_connection()
        try:
            request_finished.send(sender=None)
            return connection.connection is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(survives).result()
