"""Sends the Test page's request for browsers without JavaScript, with a time and size limit."""

import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from typing import Final

import httpx
from django.conf import settings

from apikeys.pages.key_test.sentences import sentence

SECONDS: Final = 5.0
LARGEST: Final = 64 * 1024
_AGENT: Final = "latchkey-console"
#: The response headers that help to use the API.
SHOWN_HEADERS: Final = (
    "content-type",
    "x-request-id",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "server-timing",
    "www-authenticate",
)


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of the request. Without a response, `status` is 0 and `trouble` says why."""

    status: int = 0
    milliseconds: int = 0
    body: str = ""
    request_id: str = ""
    retry_after: str = ""
    truncated: bool = False
    trouble: str = ""
    headers: tuple[tuple[str, str], ...] = ()


def path_for(account_id: str) -> str:
    """The only path that the Test page requests."""
    return f"/v1/accounts/{account_id}/templates?pageIndex=0&pageSize=5"


def call(account_id: str, secret: str) -> Probe:
    """Requests the configured API with a well-formed `secret`. Follows no redirects.

    The host comes only from settings. Stops after SECONDS, even if the response is slow, and after
    LARGEST bytes.
    """
    client = httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False)
    runner = ThreadPoolExecutor(max_workers=1)
    try:
        return runner.submit(_call, client, account_id, secret).result(timeout=SECONDS)
    except (TooLate, httpx.TimeoutException):
        return Probe(trouble=sentence("late", seconds=f"{SECONDS:.0f}"))
    except (httpx.HTTPError, OSError):
        return Probe(trouble=sentence("unreached"))
    finally:
        client.close()
        runner.shutdown(wait=False)


def _call(client: httpx.Client, account_id: str, secret: str) -> Probe:
    started = time.perf_counter()
    headers = {"Authorization": f"Bearer {secret}", "User-Agent": _AGENT}
    url = settings.API_BASE_URL + path_for(account_id)
    with client.stream("GET", url, headers=headers) as response:
        body, truncated = _read(response)
    return Probe(
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000),
        body=body.decode("utf-8-sig", errors="replace"),  # as browsers decode it
        request_id=response.headers.get("X-Request-Id", ""),
        retry_after=response.headers.get("Retry-After", ""),
        truncated=truncated,
        headers=tuple(
            (name, response.headers[name]) for name in SHOWN_HEADERS if name in response.headers
        ),
    )


def _read(response: httpx.Response) -> tuple[bytes, bool]:
    """The raw body up to the limit. It is never decompressed, so it can't expand."""
    body = b""
    for chunk in response.iter_raw(chunk_size=8192):
        body += chunk
        if len(body) > LARGEST:
            return body[:LARGEST], True
    return body, False
