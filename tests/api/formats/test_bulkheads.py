"""Each format reports too many concurrent changes before anything is changed."""

from collections.abc import Callable

import pytest

from apikeys.services import Issued
from core import bulkheads
from tests.api.formats.conftest import Send
from tests.support.api import stored
from tests.support.client import Answer
from tests.support.dialects import Dialect

Ask = Callable[[Send, Dialect, Issued], Answer]


def revoke(send: Send, dialect: Dialect, victim: Issued) -> Answer:
    return send("DELETE", f"/{dialect.id_of(victim.key)}")


def disable(send: Send, dialect: Dialect, victim: Issued) -> Answer:
    return send("PATCH", f"/{dialect.id_of(victim.key)}", enabled=False)


def rotate(send: Send, dialect: Dialect, victim: Issued) -> Answer:
    return send("POST", f"/{dialect.id_of(victim.key)}/rotate", force=True)


WITHDRAWALS = {"revoke": revoke, "update": disable, "rotate": rotate}


@pytest.mark.parametrize("operation", WITHDRAWALS)
def test_a_withdrawal_is_refused_while_too_many_wait(
    send: Send, dialect: Dialect, reader: Issued, no_place_free: None, operation: str
) -> None:
    if operation not in dialect.can:
        pytest.skip("not in this format")
    send("GET")
    before = stored()

    answer = WITHDRAWALS[operation](send, dialect, reader)

    assert answer.status == 429, answer.raw
    assert answer.headers["Retry-After"] == "1"
    assert answer.refusal.code in ("too_many_concurrent", None)
    assert answer.refusal.type in ("rate_limited", None)
    assert "Too many changes are in progress. Try again in 1 second." in answer.refusal.message
    assert stored() == before


@pytest.mark.parametrize("operation", WITHDRAWALS)
def test_a_withdrawal_gives_its_place_back(
    send: Send, dialect: Dialect, reader: Issued, bulkheads_of_four: None, operation: str
) -> None:
    if operation not in dialect.can:
        pytest.skip("not in this format")

    assert WITHDRAWALS[operation](send, dialect, reader).status in (200, 204)
    assert bulkheads.taken() == 0
