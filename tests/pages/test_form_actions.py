"""Forms in dialogs need an explicit action: without one they would be sent to the page behind."""

import re
from pathlib import Path

import pytest

from config.env import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORM = re.compile(r"<form\b(?:[^>%]|%[^}]*%\}|%)*>")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_changes_something_names_its_address(template: Path) -> None:
    forms = [form for form in FORM.findall(template.read_text()) if 'method="post"' in form]

    assert [form for form in forms if " action=" not in form] == []


def test_there_are_such_forms() -> None:
    found = sum('method="post"' in template.read_text() for template in TEMPLATES)

    assert found > 15
