"""Checks of a PostgreSQL database by `manage.py migrate` and `check --database`."""

from typing import Any, Final

from django.core.checks import CheckMessage, Error
from django.db.backends.base.validation import BaseDatabaseValidation

#: The ID of the system check.
ENCODING_ID: Final = "config.E001"
_MESSAGE: Final = "The database {name!r} has the encoding {encoding}."
_HINT: Final = (
    "Names and metadata can hold any character. Create the database with"
    " ENCODING 'UTF8' TEMPLATE template0, and name it in DATABASE_URL."
)


class DatabaseValidation(BaseDatabaseValidation):
    """Also requires an encoding that can store every character."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(**kwargs), *self._check_encoding()]

    def _check_encoding(self) -> list[CheckMessage]:
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW server_encoding")
            (encoding,) = cursor.fetchone()
        if encoding == "UTF8":
            return []
        name = self.connection.settings_dict["NAME"]
        message = _MESSAGE.format(name=name, encoding=encoding)
        return [Error(message, hint=_HINT, id=ENCODING_ID)]
