"""The canonical format (sources: signa-create-api-key.txt, signa-get-api-key.txt)."""

from typing import Final

from apikeys.api.wire import WireFormat, canonical_error

CANONICAL: Final = WireFormat(
    answer=lambda data, request_id: {**data, "request_id": request_id},
    error=canonical_error,
    impossible_id_is_invalid=True,
)
