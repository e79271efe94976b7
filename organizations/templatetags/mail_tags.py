"""Tags with which a template describes an email, and filters that make strangers' texts safe."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django import template
from django.template import Context, Node, NodeList
from django.template.base import Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core import timestamps, user_agents
from organizations.email_names import text_for_email
from organizations.mail import Draft, Fact, Part, Words

register = template.Library()


def _set_subject(draft: Draft, words: Words) -> None:
    draft.subject = words.text


def _set_heading(draft: Draft, words: Words) -> None:
    draft.heading = words.text


def _set_reason(draft: Draft, words: Words) -> None:
    draft.reason = words


def _add_paragraph(draft: Draft, words: Words) -> None:
    draft.parts.append(Part("paragraph", words))


def _add_note(draft: Draft, words: Words) -> None:
    draft.parts.append(Part("note", words))


#: Tags that enclose words. A note is a paragraph in a quiet color.
_BLOCKS: Final[dict[str, Callable[[Draft, Words], None]]] = {
    "subject": _set_subject,
    "heading": _set_heading,
    "paragraph": _add_paragraph,
    "note": _add_note,
    "reason": _set_reason,
}


class WordsNode(Node):
    """Renders its words twice, as plain text and as HTML."""

    def __init__(self, add: Callable[[Draft, Words], None], words: NodeList) -> None:
        self.add, self.nodelist = add, words

    def render(self, context: Context) -> SafeString:
        plain = self._rendered(context, autoescape=False)
        escaped = self._rendered(context, autoescape=True)
        # Safe: rendered by Django with escaping on.
        self.add(context["draft"], Words(plain, mark_safe(escaped)))  # noqa: S308  # nosec
        return SafeString("")

    def _rendered(self, context: Context, *, autoescape: bool) -> str:
        before, context.autoescape = context.autoescape, autoescape
        try:
            return " ".join(self.nodelist.render(context).split())
        finally:
            context.autoescape = before


def _words(parser: Parser, token: Token) -> WordsNode:
    name = token.split_contents()[0]
    words = parser.parse((f"end{name}",))
    parser.delete_first_token()
    return WordsNode(_BLOCKS[name], words)


for _name in _BLOCKS:
    register.tag(_name, _words)


@register.simple_tag(takes_context=True)
def strong(context: Context, value: object) -> SafeString | str:
    """A value in bold, in HTML."""
    return format_html("<strong>{}</strong>", value) if context.autoescape else str(value)


@register.simple_tag(takes_context=True)
def button(context: Context, label: str, url: str) -> str:
    """A link. Its URL stands on a line of its own in plain text. Nothing without a URL."""
    if url:
        context["draft"].parts.append(Part("button", label=label, url=url))
    return ""


@register.simple_tag(takes_context=True)
def fact(context: Context, label: str, value: Any, *, is_code: bool = False) -> str:
    """A line of a box of facts. Nothing for an empty value."""
    if value:
        context["draft"].add_fact(Fact(label, str(value), is_code))
    return ""


@register.filter
def quoted(value: object) -> str:
    """A name in quotation marks, cut to length, without links."""
    return f"“{text_for_email(str(value))}”"


@register.filter
def stamp(value: datetime) -> str:
    """Time to the minute with its time zone."""
    return timestamps.stamp(value)


@register.filter
def device(user_agent: str) -> str:
    """Browser and system, or the name of a program, without links."""
    return text_for_email(user_agents.describe(user_agent))
