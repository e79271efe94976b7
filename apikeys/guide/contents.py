"""Contents of the guide: its pages in order, their sections, and what a search finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from apikeys.guide.errors import ERRORS, GROUPS
from apikeys.guide.examples import EXAMPLES

#: Results that a search shows at most.
MOST_FOUND: Final = 30


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its anchor."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the guide. `name` is that of its URL and of its template."""

    name: str
    title: str
    summary: str
    sections: tuple[Section, ...] = ()

    @property
    def url(self) -> str:
        return reverse(f"guide:{self.name}")


def _sections(**titles: str) -> tuple[Section, ...]:
    return tuple(Section(anchor.replace("_", "-"), title) for anchor, title in titles.items())


#: Heading of the navigation → its pages.
CHAPTERS: Final[Mapping[str, tuple[Page, ...]]] = {
    "Get started": (
        Page(
            "start",
            "Quickstart",
            "Create a key, store it in your environment, and make your first request in about "
            "two minutes.",
            _sections(
                first="Make your first request",
                try_it="Try this request",
                retry="Retry safely",
                next="Next steps",
            ),
        ),
        Page(
            "authentication",
            "Authentication",
            "Send the key with every request, keep it out of code, and check what it can do.",
            _sections(
                use="Send the key",
                store="Store keys safely",
                test="Test a key",
                current="Find out what a key can do",
            ),
        ),
        Page(
            "environments",
            "Environments",
            "Every key is a live key or a test key.",
        ),
    ),
    "Manage keys": (
        Page(
            "create",
            "Create a key",
            "Admins create keys in Developer settings. Programs create them with the API.",
            _sections(settings="In Developer settings", api="With the API", limit="Key limit"),
        ),
        Page(
            "permissions",
            "Permissions",
            "Permissions say what a key can do. The API calls them scopes.",
            _sections(scopes="Available permissions", defaults="Default permissions"),
        ),
        Page(
            "rotate",
            "Rotate without downtime",
            "Replace a key's secret while the old one keeps working for a while.",
            _sections(steps="Rotate a key", api="With the API"),
        ),
        Page(
            "delete",
            "Delete a key",
            "Deleting a key takes effect immediately and can't be undone.",
            _sections(disable="Disable it first", several="Delete several keys"),
        ),
    ),
    "Reference": (
        Page(
            "calls",
            "Endpoints",
            "Every operation on keys, with examples to copy and to try.",
            tuple(Section(name, example.title) for name, example in EXAMPLES.items()),
        ),
        Page(
            "errors",
            "Errors",
            "Error codes, what they mean, and what to do.",
            tuple(Section(group.anchor, group.title) for group in GROUPS),
        ),
        Page(
            "limits",
            "Rate limits",
            "Requests are limited per key and per organization.",
            _sections(tiers="Limits by tier", headers="Response headers"),
        ),
        Page(
            "formats",
            "Formats",
            "Migrate from another product: manage keys in the format that your client speaks.",
            _sections(
                canonical="Canonical", envelope="Envelope", workspace="Workspace", account="Account"
            ),
        ),
        Page(
            "scanning",
            "Secret scanning",
            "Find keys that were committed or logged by accident.",
        ),
        Page("changes", "Changelog", "What changes for programs that call the API."),
    ),
}
PAGES: Final = tuple(page for pages in CHAPTERS.values() for page in pages)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that a search finds: a page, a section, an endpoint or an error code."""

    title: str
    place: str
    url: str
    words: str = ""

    @property
    def haystack(self) -> str:
        return f"{self.title} {self.place} {self.words}".casefold()


def index() -> list[Entry]:
    """Everything that a search looks through, in the order of the guide."""
    entries = [
        entry
        for chapter, pages in CHAPTERS.items()
        for page in pages
        for entry in _of(page, chapter)
    ]
    errors = reverse("guide:errors")
    return entries + [
        Entry(code, f"Errors · {status}", f"{errors}#{code}", f"{happened} {remedy}")
        for status, code, happened, remedy in ERRORS
    ]


def _of(page: Page, chapter: str) -> list[Entry]:
    url = page.url
    return [
        Entry(page.title, chapter, url, page.summary),
        *(
            Entry(section.title, page.title, f"{url}#{section.anchor}", _words(page, section))
            for section in page.sections
        ),
    ]


def _words(page: Page, section: Section) -> str:
    """Method and path, for the section of an endpoint."""
    example = EXAMPLES.get(section.anchor) if page.name == "calls" else None
    return f"{example.method} {example.path}" if example else ""


def find(query: str) -> list[Entry]:
    """Entries with all words of the query; first those that have them in their titles."""
    words = query.casefold().split()
    found = [entry for entry in index() if all(word in entry.haystack for word in words)]
    found.sort(key=lambda entry: not all(word in entry.title.casefold() for word in words))
    return found[:MOST_FOUND]


def neighbors(page: Page) -> tuple[Page | None, Page | None]:
    """The pages before and after this one."""
    place = PAGES.index(page)
    before = PAGES[place - 1] if place else None
    return before, next(iter(PAGES[place + 1 :]), None)
