"""What may be done to the audit trail: events are added. Two kinds of erasure are allowed.

The name of a person who is in `organizations_erasure` becomes the label there, and the IP address
and the user agent of an event go, after a month or with the person. Nothing else ever changes.
"""

from dataclasses import dataclass
from typing import Final

#: How the name begins under which a person is forgotten.
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
    # Earlier versions kept the address of the first admin there.
    "details": f"OLD.event = 'organization.created' AND NEW.details = '{{}}'"
    f" AND {_ERASED.format('OLD.id', '')}",
    "ip": f"NEW.ip IS NULL AND (OLD.at < {{month_ago}} OR {_BY})",
    "user_agent": f"NEW.user_agent = '' AND (OLD.at < {{month_ago}} OR {_BY})",
}


def _distinct(column: str) -> str:
    return f"NEW.{column} IS DISTINCT FROM OLD.{column}"


#: True for an UPDATE that is none of the two, also for one that changes nothing.
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
#: True for an erasure of anyone but a deactivated person who has its label for a name already, and
#: of events under any label but that of such a person whose erasure is on record.
FORBIDDEN_ERASURE: Final = _FORBIDDEN_ERASURE.format(former=FORMER, forgotten=_FORGOTTEN)
_REFUSE_NUMBER: Final = """
    CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW
    WHEN NEW.{column} <= (SELECT COALESCE(MAX({column}), 0) FROM {table})
    BEGIN SELECT RAISE(ABORT, '{name}'); END
"""


@dataclass(frozen=True, slots=True)
class NextNumberTrigger:
    """Adds each event at the end of the trail, whatever number its INSERT names.

    PostgreSQL gives it the next one. SQLite, where a trigger can't change a row, refuses a number
    that isn't higher than all others.
    """

    name: str
    table: str
    column: str

    def create(self, vendor: str) -> list[str]:
        """The statements that install it, in place of what was there."""
        if vendor == "postgresql":
            return [self._function(), self._postgresql()]
        return [*self.drop(vendor), self._sqlite()]

    def drop(self, vendor: str) -> list[str]:
        """The statements that remove it where it exists."""
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
