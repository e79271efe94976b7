"""Files at fixed paths: favicon.ico, robots.txt, security.txt, change-password."""

import re
import struct
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config import env
from organizations.models import Organization, User
from tests.pages.support import sign_in

SECURITY = "/.well-known/security.txt"
PASSWORD = "/.well-known/change-password"


def test_the_icon_holds_three_sizes() -> None:
    answer = Client().get("/favicon.ico")

    data = answer.content
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/x-icon")
    assert "max-age=86400" in answer["Cache-Control"]
    assert struct.unpack("<HHH", data[:6]) == (0, 1, 3)
    entries = [struct.unpack("<BBBBHHII", data[6 + 16 * n : 22 + 16 * n]) for n in range(3)]
    assert [entry[0] for entry in entries] == [16, 32, 48]
    for *_, size, offset in entries:
        assert data[offset:].startswith(b"\x89PNG")
        assert data[offset : offset + size].endswith(b"IEND\xaeB\x60\x82")


def test_crawlers_may_read_the_guide_alone() -> None:
    answer = Client().get("/robots.txt")

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().splitlines() == [
        "User-agent: *",
        "Allow: /docs/",
        "Allow: /static/",
        "Disallow: /",
    ]


def test_without_a_contact_there_is_no_security_txt(db: None) -> None:
    assert Client().get(SECURITY).status_code == 404


def test_security_txt_names_contact_and_expiry(settings: Settings) -> None:
    settings.SECURITY_CONTACT = ["mailto:security@example.com", "https://example.com/report"]
    settings.SITE_URL = "https://keys.example.com"
    answer = Client().get(SECURITY)

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.content.decode().splitlines()]
    assert [value for name, value in fields if name == "Contact"] == settings.SECURITY_CONTACT
    rest = dict(fields)
    assert rest["Canonical"] == f"https://keys.example.com{SECURITY}"
    assert rest["Preferred-Languages"] == "en"
    ends = datetime.strptime(rest["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    left = ends - timezone.now()
    assert timedelta(days=178) < left <= timedelta(days=180), "RFC 9116: less than a year"


@pytest.mark.parametrize(
    ("value", "contacts"),
    [
        ("", []),
        ("mailto:security@example.com", ["mailto:security@example.com"]),
        (
            "https://example.com/s, tel:+1-201-555-0123",
            ["https://example.com/s", "tel:+1-201-555-0123"],
        ),
    ],
)
def test_contacts_are_urls(
    monkeypatch: pytest.MonkeyPatch, value: str, contacts: list[str]
) -> None:
    monkeypatch.setenv("SECURITY_CONTACT", value)

    assert env.security_contacts() == contacts


@pytest.mark.parametrize(
    "value", ["security@example.com", "http://example.com", "mailto:x", "a\nb"]
)
def test_other_contacts_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECURITY_CONTACT", value)

    with pytest.raises(ImproperlyConfigured, match="Set SECURITY_CONTACT to URLs"):
        env.security_contacts()


def test_password_managers_find_the_page(acme: Organization, admin: User) -> None:
    answer = sign_in(admin).get(PASSWORD)

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/")
    assert sign_in(admin).get(PASSWORD, follow=True).status_code == 200


def test_pages_name_their_icons_colors_and_what_they_are() -> None:
    client = Client()
    page = client.get("/accounts/login/").content.decode()

    assert '<link rel="icon" href="/favicon.ico" sizes="32x32">' in page
    assert (
        '<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">' in page
    )
    assert (
        '<meta name="theme-color" content="#15181e" media="(prefers-color-scheme: dark)">' in page
    )
    assert re.search(r'<meta name="description"\s+content="[A-Z][^"]+\."', page)
    client.post("/theme/", {"theme": "dark"})
    page = client.get("/accounts/login/").content.decode()
    assert page.count('name="theme-color"') == 1
    assert '<meta name="theme-color" content="#15181e">' in page
