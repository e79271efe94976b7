"""Pages of the developer guide. For signed-in users, examples contain their own account."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.generic import View
from markdown_it import MarkdownIt

from apikeys import conf, tokens
from apikeys.guide import contents
from apikeys.guide.contents import CHAPTERS, PAGES, Page, Section
from apikeys.guide.errors import GROUPS
from apikeys.guide.examples import EXAMPLES, LANGUAGES, Example
from apikeys.guide.highlight import highlighted
from organizations import tiers
from organizations.pages.base import membership_of
from organizations.roles import Role

_NO_ACCOUNT: Final = "ACCOUNT_ID"
_NO_KEY: Final = "KEY_ID"
_CHANGES: Final = Path(__file__).with_name("changes.md")
#: Unreleased changes are already live on the server that shows them.
_UNRELEASED: Final = "## Unreleased\n"
_LIVE: Final = "## Current version\n\nThese changes are live on this server.\n"
#: The cookie with the language of the samples. `static/js/samples.js` writes it.
_LANGUAGE: Final = "guide_language"
_QUERY_LENGTH: Final = 100


class Sample(NamedTuple):
    """A request in one language. `slug` is how the cookie and scripts name the language."""

    language: str
    slug: str
    code: SafeString


class GuidePage(View):
    """A page of the guide. Public."""

    page: str = "start"

    def get(self, request: HttpRequest) -> HttpResponse:
        membership = membership_of(request) if request.user.is_authenticated else None
        account = membership.organization if membership else None
        base = settings.API_BASE_URL or request.build_absolute_uri("/").rstrip("/")
        context = {
            **self.frame(),
            "base_url": base,
            # Browsers block requests to another origin.
            "is_same_origin": base == request.build_absolute_uri("/").rstrip("/"),
            "account": account,
            "is_admin": membership is not None and membership.role == Role.ADMIN,
            "brand": conf.brand(),
            "language": self._language(),
            **self.more(base, account.public_id if account else _NO_ACCOUNT),
        }
        return render(request, f"guide/{self.page}.html", context)

    def frame(self) -> dict[str, Any]:
        """What stands around the text: navigation, contents, the pages before and after."""
        page = next(page for page in PAGES if page.name == self.page)
        before, after = contents.neighbors(page)
        return {
            "page": page,
            "sections": self.sections(page),
            "chapters": CHAPTERS.items(),
            "before": before,
            "after": after,
        }

    def sections(self, page: Page) -> tuple[Section, ...]:
        """The headings of the page, in order."""
        return page.sections

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        """Additional context of this page."""
        return {}

    def _language(self) -> str:
        """The language that the reader chose last, or the first."""
        slugs = [name.lower() for name in LANGUAGES]
        chosen = self.request.COOKIES.get(_LANGUAGE, "")
        return chosen if chosen in slugs else slugs[0]


class Topic(GuidePage):
    """A page that is only text."""


class Start(GuidePage):
    """Overview and the first request."""

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"entry": entry("use", base, account_id)}


class Permissions(GuidePage):
    """Every scope, in words."""

    page = "permissions"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"scopes": conf.scopes().items()}


class Calls(GuidePage):
    """Every operation in four languages."""

    page = "calls"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"entries": [entry(name, base, account_id) for name in EXAMPLES]}


class Errors(GuidePage):
    """Error codes, each under an anchor of the same name."""

    page = "errors"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"groups": GROUPS}


class Limits(GuidePage):
    """Rate limits of keys and of organizations, by tier."""

    page = "limits"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {
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


class Scanning(GuidePage):
    """How to find keys in code."""

    page = "scanning"

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"pattern": tokens.scanning_pattern(conf.brand())}


class Changes(GuidePage):
    """The changelog of the API. The repository's changelog is for operators."""

    page = "changes"

    def sections(self, page: Page) -> tuple[Section, ...]:
        return changelog()[1]

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        return {"changes": changelog()[0]}


class Search(GuidePage):
    """Pages, sections, endpoints and error codes with the words of a query; without one, all.

    `static/js/guide-search.js` reads the whole list once and filters it while the reader types.
    """

    page = "search"

    def frame(self) -> dict[str, Any]:
        return {"page": Page("search", "Search", ""), "sections": (), "chapters": CHAPTERS.items()}

    def more(self, base: str, account_id: str) -> dict[str, Any]:
        query = self.request.GET.get("q", "").strip()[:_QUERY_LENGTH]
        return {"query": query, "found": contents.find(query) if query else contents.index()}


@cache
def changelog() -> tuple[SafeString, tuple[Section, ...]]:
    """The changelog of the API as HTML, and its versions. Escapes markup in it."""
    text = _CHANGES.read_text(encoding="utf-8").replace(_UNRELEASED, _LIVE)
    markdown = MarkdownIt("commonmark", {"html": False})
    parsed = markdown.parse(text)
    versions = []
    for opening, inline in pairwise(parsed):
        if opening.type == "heading_open" and opening.tag == "h2":
            anchor = slugify(f"version {inline.content.replace('.', '-')}")
            opening.attrSet("id", anchor)
            versions.append(Section(anchor, inline.content))
    html: str = markdown.renderer.render(parsed, markdown.options, {})
    return mark_safe(html), tuple(versions)  # noqa: S308  # nosec B308 B703


def entry(name: str, base: str, account_id: str) -> dict[str, Any]:
    """What an endpoint's section shows."""
    example = EXAMPLES[name]
    return {
        "name": name,
        "example": example,
        "path": example.url("", account_id, _NO_KEY).partition("?")[0],
        "samples": samples(example, base, account_id),
        "body": json.dumps(example.about(_NO_KEY).body, indent=2) if example.body else "",
    }


def samples(example: Example, base: str, account_id: str) -> list[Sample]:
    """The example in each language."""
    url = example.url(base, account_id, _NO_KEY)
    filled = example.about(_NO_KEY)
    return [
        Sample(language, language.lower(), highlighted(language, write(filled, url)))
        for language, write in LANGUAGES.items()
    ]
