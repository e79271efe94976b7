"""Converts a response to the words of the authorization table."""

import re
from typing import Any, Final

from tests.security.matrix.table import AWAY, SIGN_IN, STAFF_SIGN_IN, YES, Answer

_SIGN_INS: Final = {
    SIGN_IN: re.compile(r"/accounts/login/(\?next=.*)?"),
    STAFF_SIGN_IN: re.compile(r"/admin/login/\?next=.*"),
}
_REFUSED: Final = {401, 403, 404, 405}


def seen(response: Any) -> Answer:
    """What the answer is, whatever page or body it has."""
    status: int = response.status_code
    if status >= 500 or status in _REFUSED:
        return status
    if status not in (301, 302):
        return YES
    place = response["Location"]
    return next((name for name, form in _SIGN_INS.items() if form.fullmatch(place)), AWAY)


def fits(answer: Answer, expected: Answer) -> bool:
    """Whether an answer is the expected one; to be led to another page is no refusal."""
    return answer == expected or (expected == YES and answer == AWAY)
