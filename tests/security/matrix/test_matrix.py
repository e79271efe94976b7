"""Every operation by every caller: each cell of the table holds, and nothing else changes."""

from typing import ClassVar

import pytest
from django.test import TestCase, override_settings

from config.env import ROOT
from tests.security.matrix import world as worlds
from tests.security.matrix.document import TEXT, document
from tests.security.matrix.reading import fits, seen
from tests.security.matrix.routes import Operation, operations
from tests.security.matrix.table import (
    AWAY,
    CALLERS,
    CELLS,
    CLASSES,
    MATRIX,
    ROWS,
    STAFF_SIGN_IN,
    YES,
)
from tests.security.matrix.world import World

_API = ("v1/", "envelope/", "api/", "^(?:")
_STAFF = ("admin/",)
_ACCOUNT = ("accounts/",)


def _under(*prefixes: str) -> list[Operation]:
    return [operation for operation in MATRIX if operation[0].startswith(prefixes)]


class TestCells(TestCase):
    """The world is made once; whatever a cell does is taken back before the next."""

    world: ClassVar[World]
    untouched: ClassVar[dict[str, list[str]]]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.world = worlds.build()
        cls.untouched = worlds.fingerprint()

    def _wrong(self, operation: Operation) -> dict[str, str]:
        """The cells of a row that are not as the table says."""
        expected = MATRIX[operation]
        answers = {}
        refused = [caller for caller in CALLERS if expected[caller] not in (YES, AWAY)]
        with worlds.undone():
            for caller in refused:
                answers[caller] = seen(self.world.ask(caller, *operation))
            changed = worlds.changed_since(self.untouched)
        for caller in set(CALLERS) - set(refused):
            with worlds.undone():
                answers[caller] = seen(self.world.ask(caller, *operation))
        wrong = {
            c: f"{a}, not {expected[c]}" for c, a in answers.items() if not fits(a, expected[c])
        }
        return wrong | ({"refused": f"but changed: {changed}"} if changed else {})

    def _all_as_expected(self, chosen: list[Operation]) -> None:
        wrong = {operation: self._wrong(operation) for operation in chosen}
        assert {operation: cells for operation, cells in wrong.items() if cells} == {}

    def test_the_api(self) -> None:
        self._all_as_expected(_under(*_API))

    def test_the_administration(self) -> None:
        self._all_as_expected(_under(*_STAFF))

    def test_people_s_own_accounts(self) -> None:
        self._all_as_expected(_under(*_ACCOUNT))

    def test_the_pages_and_all_the_rest(self) -> None:
        walked = set(_under(*_API, *_STAFF, *_ACCOUNT))
        self._all_as_expected([operation for operation in MATRIX if operation not in walked])

    def test_the_comparison_notices_what_is_changed(self) -> None:
        self.world.ask("managing", "v1/api-keys/<str:id>", "DELETE")

        changed = worlds.changed_since(self.untouched)
        assert set(changed) >= {"apikeys.ApiKey", "organizations.AuditEvent"}

    @override_settings(STAFF_SECOND_FACTOR=True)
    def test_staff_need_the_second_factor_where_it_is_asked_for(self) -> None:
        open_to_all = {"admin/login/", "admin/logout/"}
        rows = [row for row in _under(*_STAFF) if row[0] not in open_to_all]
        assert len(rows) > 80
        seen_there = {row: seen(self.world.ask("staff", *row)) for row in rows}

        assert {row: a for row, a in seen_there.items() if a != STAFF_SIGN_IN} == {}

    def test_a_wrong_expectation_is_noticed(self) -> None:
        row = ("v1/api-keys", "GET")
        answer = seen(self.world.ask("read-only", *row))

        assert answer == MATRIX[row]["read-only"] == 403
        assert not any(fits(answer, lie) for lie in (YES, AWAY, 401, 404, STAFF_SIGN_IN))


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert operations() == set(MATRIX)


def test_a_new_route_and_a_new_method_are_noticed() -> None:
    new = operations("tests.security.matrix.urls_with_one_more") - set(MATRIX)

    assert new == {("v1/api-keys/<str:id>/copy", "POST"), ("v1/api-keys/current", "DELETE")}


def test_the_table_says_nothing_twice() -> None:
    assert len(MATRIX) == sum(len(methods.split()) for _, methods in ROWS)
    assert set(ROWS.values()) == set(CLASSES)
    assert CELLS >= 600


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_speaks_of_every_caller(kind: str) -> None:
    assert tuple(CLASSES[kind]) == CALLERS


def test_the_text_is_the_table() -> None:
    assert (ROOT / TEXT).read_text() == document(), "run make matrix"
