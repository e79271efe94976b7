"""The pages of the guide; the reader's own account is filled in where they are signed in."""

import json
from functools import cache
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
from organizations.models import Organization
from organizations.pages import LAST_VISITED, person_of

_NO_ACCOUNT: Final = "ACCOUNT_ID"
_NO_KEY: Final = "KEY_ID"


class GuidePage(View):
    """A page of the guide, open to everybody."""

    page: ClassVar[str] = "start"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page, with what it shows of this installation."""
        account = account_of(request)
        base = settings.API_BASE_URL or request.build_absolute_uri("/").rstrip("/")
        context = {
            "page": self.page,
            "base_url": base,
            "account": account,
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
            "tiers": conf.tiers().items(),
        }


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
                "body": json.dumps(e.body, indent=2) if e.body else "",
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
    """What has changed for users, version by version."""

    page = "changes"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """The changelog of the repository."""
        return {"changes": changelog()}


@cache
def changelog() -> SafeString:
    """The changelog as HTML. It is the repository's own; markup in it is shown as text."""
    text = (settings.BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8")
    html: str = MarkdownIt("commonmark", {"html": False}).render(text)
    return mark_safe(html)  # noqa: S308  # nosec B308 B703


def account_of(request: HttpRequest) -> Organization | None:
    """The organization that a signed-in reader visited last, or their first by name."""
    if not request.user.is_authenticated:
        return None
    mine = list(Organization.objects.visible_to(person_of(request)).order_by("name"))
    last = request.session.get(LAST_VISITED)
    return next((o for o in mine if o.slug == last), mine[0] if mine else None)


def written(example: Example, base: str, account_id: str) -> list[tuple[str, str]]:
    """The example in each language, with its name."""
    url = example.url(base, account_id, _NO_KEY)
    return [(language, write(example, url)) for language, write in LANGUAGES.items()]
