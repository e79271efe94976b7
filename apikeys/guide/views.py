"""Pages of the developer guide. For signed-in users, examples contain their own account."""

import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.generic import View
from markdown_it import MarkdownIt

from apikeys import conf, tokens
from apikeys.guide.errors import ERRORS
from apikeys.guide.examples import EXAMPLES, LANGUAGES, Example
from organizations import tiers
from organizations.pages.base import membership_of
from organizations.roles import Role

_NO_ACCOUNT: Final = "ACCOUNT_ID"
_NO_KEY: Final = "KEY_ID"
_CHANGES: Final = Path(__file__).with_name("changes.md")
#: Unreleased changes are already live on the server that shows them.
_UNRELEASED: Final = "## Unreleased\n"
_LIVE: Final = "## Current version\n\nThese changes are live on this server.\n"


class GuidePage(View):
    """A page of the guide. Public."""

    page: ClassVar[str] = "start"

    def get(self, request: HttpRequest) -> HttpResponse:
        membership = membership_of(request) if request.user.is_authenticated else None
        account = membership.organization if membership else None
        base = settings.API_BASE_URL or request.build_absolute_uri("/").rstrip("/")
        context = {
            "page": self.page,
            "base_url": base,
            "account": account,
            "is_admin": membership is not None and membership.role == Role.ADMIN,
            **self.more(base, account.public_id if account else _NO_ACCOUNT),
        }
        return render(request, f"guide/{self.page}.html", context)

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """Additional context of this page."""
        return {}


class Start(GuidePage):
    """Overview and the first request."""

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {
            "first": written(EXAMPLES["use"], base, account_id),
            "brand": conf.brand(),
            "pattern": tokens.scanning_pattern(conf.brand()),
            "scopes": conf.scopes().items(),
            "has_organization_limit": settings.ORGANIZATION_RATE_LIMIT_FACTOR > 0,
            "tiers": [
                (name, tiers.in_words(tiers.key_limit(name)), _together(name))
                for name in conf.tiers()
            ],
        }


def _together(tier: str) -> str:
    """The rate limit of an organization in that tier. Empty without one."""
    limit = tiers.organization_limit(tier)
    return tiers.in_words(limit) if limit else ""


class Calls(GuidePage):
    """Every operation in four languages."""

    page = "calls"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        examples = [
            {
                "name": name,
                "example": e,
                "written": written(e, base, account_id),
                "body": json.dumps(e.about(_NO_KEY).body, indent=2) if e.body else "",
            }
            for name, e in EXAMPLES.items()
        ]
        # Browsers block requests to another origin.
        here = self.request.build_absolute_uri("/").rstrip("/")
        return {"examples": examples, "is_same_origin": base == here}


class Errors(GuidePage):
    """Error codes, each under an anchor of the same name."""

    page = "errors"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"errors": ERRORS}


class Formats(GuidePage):
    """How to migrate from another product."""

    page = "formats"


class Changes(GuidePage):
    """The changelog of the API. The repository's changelog is for operators."""

    page = "changes"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"changes": changelog()}


@cache
def changelog() -> SafeString:
    """The changelog of the API as HTML. Escapes markup in it."""
    text = _CHANGES.read_text(encoding="utf-8").replace(_UNRELEASED, _LIVE)
    html: str = MarkdownIt("commonmark", {"html": False}).render(text)
    return mark_safe(html)  # noqa: S308  # nosec B308 B703


def written(example: Example, base: str, account_id: str) -> list[tuple[str, str]]:
    """The example in each language: its name and the code."""
    url = example.url(base, account_id, _NO_KEY)
    filled = example.about(_NO_KEY)
    return [(language, write(filled, url)) for language, write in LANGUAGES.items()]
