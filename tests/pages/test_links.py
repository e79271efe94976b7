"""Pages and documents have no broken links or anchors, and no unencrypted links."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from apikeys.services import Issued
from config.env import ROOT
from organizations.models import Organization, User
from tests.admin.support import IP, enter
from tests.factories import InvitationFactory, ServiceAccountFactory, TemplateFactory
from tests.pages.support import sign_in
from tests.support.links import Crawler, Parsed, anchors_of, faults_of

GUIDE = ("/docs/", "/docs/calls/", "/docs/errors/", "/docs/formats/", "/docs/changes/")
SCHEMAS = [
    f"{root}/openapi.{kind}"
    for root in ("/v1", "/v1/accounts", "/envelope/v1", "/api/v1")
    for kind in ("json", "yaml")
]
TEXTS = subprocess.check_output(["git", "ls-files", "*.md"], cwd=ROOT, text=True).split()


@pytest.fixture
def full(acme: Organization, member: User, make_key: Callable[..., Issued]) -> None:
    """Something of each kind, so that lists have entries."""
    make_key(name="Production")
    TemplateFactory.create(organization=acme)
    ServiceAccountFactory.create(organization=acme)
    InvitationFactory.create(organization=acme)


def test_for_a_visitor(db: None) -> None:
    crawler = Crawler(Client())

    assert crawler.crawl("/", *GUIDE) == []
    assert {*GUIDE, *SCHEMAS, "/accounts/signup/", "/accounts/password/reset/"} <= {*crawler.seen}


def test_for_a_member(full: None, member: User) -> None:
    crawler = Crawler(sign_in(member))

    assert crawler.crawl("/", *GUIDE) == []
    assert {*GUIDE, "/o/acme/settings/members/", "/accounts/2fa/"} <= {*crawler.seen}


def test_for_an_admin(full: None, admin: User) -> None:
    crawler = Crawler(sign_in(admin))

    assert crawler.crawl("/", *GUIDE) == []
    developer = "/o/acme/settings/developer/"
    assert {f"{developer}{rest}" for rest in ("usage/", "activity/", "access/")} <= {*crawler.seen}
    assert sum("/keys/key_" in address for address in crawler.seen) >= 5


def test_for_staff(full: None, staff: User) -> None:
    crawler = Crawler(enter(Client(REMOTE_ADDR=IP), staff))

    assert crawler.crawl("/admin/") == []
    assert sum(address.endswith("/change/") for address in crawler.seen) >= 5


@pytest.mark.parametrize("text", TEXTS)
def test_in_texts(text: str) -> None:
    assert faults_of(ROOT / text) == []


def test_what_is_dead_is_found(tmp_path: Path, db: None) -> None:
    """A test of the test: each kind of fault is one."""
    (tmp_path / "other.md").write_text("# Two words\n\n## Again\n\n## Again\n")
    text = tmp_path / "text.md"
    text.write_text(
        "# Here\n\n[a](gone.md) [b](#nowhere) [c](other.md#no) [d](http://example.com)"
        " [fine](other.md#two-words) [fine](other.md#again-1) [fine](#here)\n"
    )

    assert [fault.split()[0] for fault in faults_of(text)] == [
        *("gone.md", "#nowhere", "other.md#no", "http://example.com"),
    ]
    assert anchors_of("# `POST /v1`, sent\n```\n# no heading\n```\n") == {"post-v1-sent"}
    assert Parsed('<a href="/x" id="y"></a>').links == ["/x"]
    assert len(Crawler(Client()).crawl("/docs/nothing/")) == 1
