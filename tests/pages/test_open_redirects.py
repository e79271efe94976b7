"""No field or header redirects users to another site."""

from ipaddress import ip_network

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from organizations.models import User


@pytest.mark.parametrize(
    ("wished", "led_to"),
    [
        ("/docs/", "/docs/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:x", "/"),
        ("", "/"),
    ],
)
def test_choosing_a_theme_leads_to_pages_of_ours_alone(wished: str, led_to: str) -> None:
    answer = Client().post("/theme/", {"theme": "dark", "next": wished})

    assert (answer.status_code, answer.headers["Location"]) == (303, led_to)


@pytest.mark.parametrize(
    ("theme", "scheme"), [("dark", "dark"), ("light", "light"), ("system", "light dark")]
)
def test_a_page_says_which_theme_is_on_before_its_styles_arrive(theme: str, scheme: str) -> None:
    client = Client()
    client.post("/theme/", {"theme": theme, "next": "/accounts/login/"})

    page = client.get("/accounts/login/").content.decode()

    assert f'<meta name="color-scheme" content="{scheme}">' in page


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "Origin", "Referer"])
def test_no_header_chooses_where_a_link_in_a_mail_leads(
    name: str, admin: User, settings: Settings
) -> None:
    """Not even one that a trusted proxy has passed on."""
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)

    headers = {name: "evil.example"}
    Client().post("/accounts/password/reset/", {"email": admin.email}, headers=headers)

    (message,) = mail.outbox
    assert "http://testserver/accounts/password/reset/" in str(message.body)
    assert "evil.example" not in str(message.body)
