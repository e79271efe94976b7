"""Trigger conditions that keep the audit log append-only, except for two kinds of erasure.

The name of a person listed in `organizations_erasure` may be replaced by the label there. The IP
address and user agent of an event may be erased after a month or with the person. Everything else
is immutable.
"""

from dataclasses import dataclass
from typing import Final

#: Prefix of the name of a forgotten person.
FORMER: Final = "Former person usr_"
_SAME: Final = (
    "id",
    "number",
    "at",
    "event",
    "organization_id",
    "actor_kind",
    "actor_id",
    "target_type",
    "target_id",
    "request_id",
)
_ERASED: Final = "EXISTS (SELECT 1 FROM organizations_erasure WHERE subject_id IN ({}){})"
_BY: Final = _ERASED.format("OLD.actor_id", "")
_CHANGES: Final = {
    "actor_label": _ERASED.format("OLD.actor_id", " AND label = NEW.actor_label"),
    "target_label": _ERASED.format("OLD.target_id, OLD.id", " AND label = NEW.target_label"),
    # Earlier versions stored the first admin's email address there.
    "details": f"OLD.event = 'organization.created' AND NEW.details = '{{}}'"
    f" AND {_ERASED.format('OLD.id', '')}",
    "ip": f"NEW.ip IS NULL AND (OLD.at < {{month_ago}} OR {_BY})",
    "user_agent": f"NEW.user_agent = '' AND (OLD.at < {{month_ago}} OR {_BY})",
}


def _distinct(column: str) -> str:
    return f"NEW.{column} IS DISTINCT FROM OLD.{column}"


#: True for any UPDATE other than these erasures, even one that changes nothing.
FORBIDDEN_CHANGE: Final = " OR ".join(
    [
        *(_distinct(column) for column in _SAME),
        *(f"({_distinct(column)} AND NOT ({allowed}))" for column, allowed in _CHANGES.items()),
        f"NOT ({' OR '.join(_distinct(column) for column in _CHANGES)})",
    ]
)

_FORGOTTEN: Final = "organizations_user.name = NEW.label AND NOT organizations_user.is_active"
_FORBIDDEN_ERASURE: Final = """
    NEW.label NOT LIKE '{former}%' OR NOT (
        EXISTS (SELECT 1 FROM organizations_user
            WHERE id = NEW.subject_id AND {forgotten})
        OR (
            EXISTS (SELECT 1 FROM organizations_auditevent WHERE id = NEW.subject_id)
            AND EXISTS (SELECT 1 FROM organizations_erasure
                JOIN organizations_user ON organizations_user.id = subject_id
                WHERE organizations_erasure.label = NEW.label AND {forgotten})
        )
    )"""
#: True unless the erasure is of a deactivated person whose name is already its label, or of an
#: event under the label of such a person whose own erasure is recorded.
FORBIDDEN_ERASURE: Final = _FORBIDDEN_ERASURE.format(former=FORMER, forgotten=_FORGOTTEN)
_REFUSE_NUMBER: Final = """
    CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW
    WHEN NEW.{column} <= (SELECT COALESCE(MAX({column}), 0) FROM {table})
    BEGIN SELECT RAISE(ABORT, '{name}'); END
"""


@dataclass(frozen=True, slots=True)
class NextNumberTrigger:
    """Appends each event to the audit log, no matter which number its INSERT contains.

    PostgreSQL replaces the number by the next one. SQLite triggers can't change a row, so a number
    that isn't higher than all others is rejected.
    """

    name: str
    table: str
    column: str

    def create(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [self._function(), self._postgresql()]
        return [*self.drop(vendor), self._sqlite()]

    def drop(self, vendor: str) -> list[str]:
        where = f" ON {self.table}" if vendor == "postgresql" else ""
        return [f"DROP TRIGGER IF EXISTS {self.name}{where}"]

    def _function(self) -> str:
        return f"""
            CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.{self.column} := nextval('{self.table}_{self.column}_seq');
                RETURN NEW;
            END $$
        """

    def _postgresql(self) -> str:
        return f"""
            CREATE OR REPLACE TRIGGER {self.name} BEFORE INSERT ON {self.table}
            FOR EACH ROW EXECUTE FUNCTION {self.name}()
        """

    def _sqlite(self) -> str:
        return _REFUSE_NUMBER.format(name=self.name, table=self.table, column=self.column)
