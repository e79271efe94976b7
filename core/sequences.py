"""A model field that the database numbers in insert order, independent of its clock."""

from typing import Any, Final

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

_Sql = tuple[str, tuple[Any, ...]]
#: `table` and `column` come from our models, never from users.
_NEXT: Final = {
    "postgresql": "nextval('{table}_{column}_seq')",
    "sqlite": "(SELECT COALESCE(MAX({column}), 0) + {place} FROM {table})",
}


class _Next(Expression):
    """The next number of a column. `place` is the row's position in its statement, from 1.

    SQLite has no sequences. All rows of a statement may see the same maximum there, hence `place`.
    """

    def __init__(self, table: str, column: str, place: int) -> None:
        super().__init__(output_field=models.BigIntegerField())
        self.names = {"table": table, "column": column, "place": place}

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> _Sql:
        return _NEXT[connection.vendor].format(**self.names), ()


class SequenceField(models.BigIntegerField[int, int]):
    """A number that the database assigns to each new row.

    On PostgreSQL the migration creates the sequence. It is also the column's default, for processes
    that run an older version.
    """

    db_returning = True

    def next(self, place: int = 1) -> Any:
        """The expression to insert for the number."""
        return _Next(self.model._meta.db_table, self.attname, place)  # noqa: SLF001

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        number = getattr(model_instance, self.attname)
        return self.next() if add and number is None else number
