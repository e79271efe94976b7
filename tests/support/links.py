"""Finds links and anchors of pages, by following them, and of Markdown files."""

import itertools
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from django.test import Client
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Parameters that lead back, or that name a different page of the same list.
_UNENDING: Final = {"next", "p", "page"}
_MOST_PAGES: Final = 2_000


class Parsed(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = {"", "top"}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")
            elif name in ("href", "src") or (name == "action" and value):
                self.links.append(value or "")


class Crawler:
    """Follows every link of a site from some pages on, with GET alone."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.seen: dict[str, Parsed | None] = {}
        self.kinds: set[tuple[str, frozenset[str]]] = set()
        self.faults: list[str] = []

    def crawl(self, *starts: str) -> list[str]:
        """What is wrong with the links, and where each of them stands."""
        waiting = [("the start", start) for start in starts if self._is_new(start)]
        links: list[tuple[str, str]] = []
        while waiting:
            origin, address = waiting.pop()
            for link in self._visit(origin, address):
                links.append((address, link))
                if self._is_new(link):
                    waiting.append((address, urldefrag(link).url))
        assert len(self.seen) < _MOST_PAGES
        return self.faults + [fault for link in set(links) if (fault := self._anchor_fault(*link))]

    def _is_new(self, link: str) -> bool:
        """Of links that differ in the values of a query alone, the first is enough."""
        parts = urlsplit(link)
        if parts.scheme in ("http", "https", "mailto", "data"):
            return False
        kind = (parts.path, frozenset(name for name, _ in parse_qsl(parts.query)))
        if kind in self.kinds or (kind[1] & _UNENDING and (parts.path, frozenset()) in self.kinds):
            return False
        self.kinds.add(kind)
        return True

    def _visit(self, origin: str, address: str) -> list[str]:
        answer = self.client.get(address, follow=True)
        content = b"".join(answer) if answer.streaming else answer.content
        if answer.status_code not in (200, 405):  # forms that are sent to need no page
            self.faults.append(f"{origin}: {address} is {answer.status_code}")
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            self.seen[address] = None
            return []
        page = self.seen[address] = Parsed(content.decode())
        base = answer.redirect_chain[-1][0] if answer.redirect_chain else address
        return [self._checked(address, urljoin(base, link)) for link in page.links]

    def _checked(self, address: str, link: str) -> str:
        if urlsplit(link).scheme == "http":
            self.faults.append(f"{address}: {link} is not https")
        return link

    def _anchor_fault(self, address: str, link: str) -> str:
        """Why the anchor of a link is dead, or nothing."""
        path, anchor = urldefrag(link)
        page = self.seen.get(path or address)
        if page is None or anchor in page.anchors:
            return ""
        return f"{address}: {link} names an anchor that is not there"


def _slug(heading: Token) -> str:
    """As sites that show Markdown make anchors of headings."""
    parts = [part.content for part in heading.children or [] if part.type != "image"]
    return re.sub(r"[^\w\- ]", "", "".join(parts).lower()).replace(" ", "-")


def anchors_of(text: str) -> set[str]:
    """The anchors of a Markdown text; a heading that comes again gets a number."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    pairs = itertools.pairwise(tokens)
    slugs = [_slug(inline) for opening, inline in pairs if opening.type == "heading_open"]
    counted: Counter[str] = Counter()
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    for slug in slugs:
        found.add(f"{slug}-{counted[slug]}" if counted[slug] else slug)
        counted[slug] += 1
    return found


def links_of(text: str) -> list[str]:
    """Where the links and pictures of a Markdown text lead."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inside = [child for token in tokens for child in token.children or []]
    found = [str(child.attrGet("href") or child.attrGet("src") or "") for child in inside]
    return [link for link in found if link] + re.findall(r'(?:href|src|srcset)="([^"]+)"', text)


def faults_of(path: Path) -> list[str]:
    """The links of a Markdown file that lead nowhere, and those that are not encrypted."""
    faults = []
    for link in links_of(path.read_text()):
        parts = urlsplit(link)
        if parts.scheme == "http":
            faults.append(f"{link} is not https")
        if parts.scheme or link.startswith("/docs/"):  # pages of the guide are crawled
            continue
        target = path.parent / parts.path if parts.path else path
        if not target.exists():
            faults.append(f"{link} is not there")
        elif parts.fragment and parts.fragment not in anchors_of(target.read_text()):
            faults.append(f"{link} names a heading that is not there")
    return faults
