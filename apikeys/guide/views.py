"""The pages of the guide; the reader's own account is filled in where they are signed in."""

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
#: What has no version yet is live all the same for those who read it on a server.
_UNRELEASED: Final = "## Unreleased\n"
_LIVE: Final = "## Current version\n\nThese changes are live on this server.\n"


class GuidePage(View):
    """A page of the guide, open to everybody."""

    page: ClassVar[str] = "start"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page, with what it shows of this installation."""
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
        """What this page alone shows."""
        return {}


class Start(GuidePage):
    """What a key is, and the first call."""

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """The first call, and what secrets look like here."""
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
    """The limit of an organization in that tier; empty for no limit."""
    limit = tiers.organization_limit(tier)
    return tiers.in_words(limit) if limit else ""


class Calls(GuidePage):
    """Every operation, in four languages."""

    page = "calls"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """The examples."""
        examples = [
            {
                "name": name,
                "example": e,
                "written": written(e, base, account_id),
                "body": json.dumps(e.about(_NO_KEY).body, indent=2) if e.body else "",
            }
            for name, e in EXAMPLES.items()
        ]
        # A call to another origin would be refused by the browser.
        here = self.request.build_absolute_uri("/").rstrip("/")
        return {"examples": examples, "is_same_origin": base == here}


class Errors(GuidePage):
    """What each code means, under an anchor of its name."""

    page = "errors"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """The codes, by status."""
        return {"errors": ERRORS}


class Formats(GuidePage):
    """How to come from another product."""

    page = "formats"


class Changes(GuidePage):
    """What has changed for clients of the API, version by version."""

    page = "changes"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """The changelog of the API; that of the repository is for operators."""
        return {"changes": changelog()}


@cache
def changelog() -> SafeString:
    """The changelog of the API as HTML; markup in it is shown as text."""
    text = _CHANGES.read_text(encoding="utf-8").replace(_UNRELEASED, _LIVE)
    html: str = MarkdownIt("commonmark", {"html": False}).render(text)
    return mark_safe(html)  # noqa: S308  # nosec B308 B703


def written(example: Example, base: str, account_id: str) -> list[tuple[str, str]]:
    """The example in each language, with its name."""
    url = example.url(base, account_id, _NO_KEY)
    filled = example.about(_NO_KEY)
    return [(language, write(filled, url)) for language, write in LANGUAGES.items()]
