"""The `Idempotency-Key` header: a repeated request issues no second secret."""

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
    """The token of a request. None without the header. Raises Invalid if it is malformed.

    Requests are the same if method, path and body are. The order of fields doesn't matter.
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
