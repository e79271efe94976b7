"""`Idempotency-Key`: a call that is sent again makes no second secret."""

import hashlib
import json
import re
from typing import Final

from rest_framework.request import Request

from apikeys.services import IdempotencyToken
from core.exceptions import ErrorCode, Invalid
from core.redaction import redact

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_token_of(request: Request) -> IdempotencyToken | None:
    """What the header makes of the call, or None without one; Invalid for what cannot be one.

    A request is the same if method, address and body are, whatever the order of the body's fields.
    """
    token = request.headers.get(HEADER)
    if token is None:
        return None
    if not _TOKEN.fullmatch(token):
        raise Invalid.field(HEADER, "Use 1 to 255 ASCII characters without spaces.")
    if redact(token) != token:
        message = "Make up something random. This contains a secret."
        raise Invalid.field(HEADER, message, ErrorCode.CONTAINS_SECRET)
    body = json.dumps(request.data, sort_keys=True)
    text = f"{request.method} {request.path}\0{body}"
    return IdempotencyToken(token, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
