"""Syntax colors of samples, as spans with the classes of `static/css/components/samples.css`."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Token

_Token = tuple[object, str]

#: Language of a sample → Pygments' name for its lexer.
_LEXERS: Final = {"curl": "bash", "JavaScript": "javascript", "Python": "python", "Go": "go"}
#: Token type → class. The first that contains a token's type counts.
_CLASSES: Final = (
    (Keyword, "k"),
    (Operator.Word, "k"),
    (String.Affix, "k"),
    (String.Interpol, ""),
    (String, "s"),
    (Number, "n"),
    (Name.Variable, "n"),
    (Name.Builtin, "f"),
    (Name.Function, "f"),
    (Comment, "q"),
)


@lru_cache(maxsize=500)
def highlighted(language: str, code: str) -> SafeString:
    """The code as HTML. Each character is escaped and kept."""
    spans = []
    for name, group in groupby(_classified(language, code), key=lambda pair: pair[0]):
        text = escape("".join(value for _, value in group))
        spans.append(f'<span class="{name}">{text}</span>' if name else text)
    return mark_safe("".join(spans))  # noqa: S308  # nosec B308 B703


def _classified(language: str, code: str) -> Iterator[tuple[str, str]]:
    """Class and text of each token. Names before a parenthesis are functions."""
    lexer = get_lexer_by_name(_LEXERS[language], stripnl=False, ensurenl=False)
    tokens: list[_Token] = list(lexer.get_tokens(code))
    following = [*tokens[1:], (Token, "")]
    for (kind, value), (_, after) in zip(tokens, following, strict=True):
        is_call = kind in Name and after.startswith("(")
        is_command = language == "curl" and value == "curl"
        yield ("f" if is_call or is_command else _class_of(kind)), value


def _class_of(kind: object) -> str:
    return next((name for parent, name in _CLASSES if kind in parent), "")
