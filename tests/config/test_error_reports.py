"""Error reports and tracebacks contain no secrets."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.utils.log import AdminEmailHandler
from pytest_django import Settings

from apikeys import tokens
from config.env import ROOT
from tests.support.domain import SECRET
from tests.support.processes import GOOD_SECRETS, environment

SHOWN = tokens.displayed_prefix(SECRET)
HIDDEN = SECRET.removeprefix(SHOWN)
PASSWORD = "-".join(["hunter", "two"] * 2)  # whole nowhere in the source that a report shows


def crash(request: Any) -> HttpResponse:
    held = {"deep": [SECRET]}
    raise RuntimeError(f"cannot use {SECRET} of {sorted(held)}")


urlpatterns = [path("crash", crash)]


@pytest.fixture
def crashing(settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    settings.DEBUG = True
    settings.REDIS_URL = f"redis://someone:{PASSWORD}@127.0.0.1/0"
    settings.ADMINS = [("Sam", "sam@latchkey.example")]
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_the_page_of_a_developer_shows_no_secret(crashing: Client, accept: str) -> None:
    answer = crashing.post(
        f"/crash?key={SECRET}",
        {"key": SECRET},
        headers={"Authorization": f"Bearer {SECRET}", "X-Other": SECRET, "Accept": accept},
    )

    shown = answer.content.decode()
    assert answer.status_code == 500
    assert f"cannot use {SHOWN}[redacted]" in shown
    assert "RuntimeError" in shown
    assert "DJANGO_SETTINGS_MODULE" in shown or "SETTINGS_MODULE" in shown
    assert HIDDEN not in shown
    assert PASSWORD not in shown


def test_a_mail_about_an_error_shows_no_secret(crashing: Client) -> None:
    handler = AdminEmailHandler(include_html=True)
    logging.getLogger("django.request").addHandler(handler)
    try:
        crashing.post(f"/crash?key={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    finally:
        logging.getLogger("django.request").removeHandler(handler)

    (message,) = mail.outbox
    sent = message.message().as_string() + str(message.body)
    assert "[redacted]" in sent
    assert HIDDEN not in sent
    assert PASSWORD not in sent


CRASHES = f"""
import threading
thread = threading.Thread(target=int, args=["{SECRET}-of-the-thread"])
thread.start()
thread.join()

class Careless:
    def __del__(self):
        int("{SECRET}-of-the-finalizer")

Careless()
try:
    int("{SECRET}-of-the-cause")
except ValueError as error:
    raise RuntimeError("{SECRET}-of-the-command") from error
"""
COMMAND = """
import runpy, sys
sys.argv = ["manage.py", "check"]
runpy.run_path("manage.py", run_name="__main__")
"""


@pytest.mark.parametrize("entrance", ["import config.wsgi", COMMAND], ids=["server", "command"])
def test_what_nobody_catches_is_told_without_its_secret(entrance: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", entrance + CRASHES],
        cwd=ROOT,
        env=environment(**GOOD_SECRETS),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    for where in ("thread", "finalizer", "cause", "command"):
        assert f"{SHOWN}[redacted]-of-the-{where}" in run.stderr
    assert run.stderr.count("Traceback") == 4
    assert HIDDEN not in run.stderr + run.stdout
