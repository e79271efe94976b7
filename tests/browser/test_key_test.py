"""The Test dialog with malicious input and responses."""

import json
from typing import TYPE_CHECKING

import pytest

from apikeys import tokens
from apikeys.pages.key_test import json_text, messages
from apikeys.pages.key_test.client import Probe
from apikeys.pages.key_test.sentences import sentence
from tests.browser.conftest import OpenPage
from tests.browser.test_secret import is_masked
from tests.support.domain import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from apikeys.services import Issued


def _test(page: "Page", pasted: str) -> None:
    page.get_by_role("link", name="Test API key").click()
    page.get_by_label("API key", exact=True).fill(pasted)
    page.get_by_role("button", name="Run test").click()


@pytest.mark.parametrize("part", ['"; id; "', "$(id)", "`id`", "\\", " -o x"])
def test_what_cannot_be_a_key_is_not_sent_and_makes_no_command(
    sign_in: OpenPage, part: str
) -> None:
    page, called = sign_in(), list[str]()
    page.on("request", lambda request: called.append(request.url))

    _test(page, SECRET[:-4] + part)

    page.get_by_text("That doesn't look like one of our keys.").wait_for()
    assert not page.locator("[data-result]").is_visible()
    assert [url for url in called if "/v1/" in url] == []


def test_markup_in_an_answer_is_text(sign_in: OpenPage) -> None:
    answer = "<img src=x onerror='window.broken = 1'><script>window.broken = 1</script>"
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body=answer))

    _test(page, SECRET)

    page.locator("[data-line]", has_text="ms").wait_for()
    assert page.locator("[data-body]").text_content() == answer
    assert page.evaluate("window.broken") is None


@pytest.mark.parametrize("next_one", ["", "sig_live_short", SECRET[:-1] + "x"])
def test_a_refused_key_leaves_nothing_of_the_one_before(sign_in: OpenPage, next_one: str) -> None:
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}"))
    _test(page, SECRET)
    page.locator("[data-line]", has_text="The key works.").wait_for()

    page.get_by_label("API key", exact=True).fill(next_one)
    page.get_by_role("button", name="Run test").click()

    page.locator("[data-test-error]", has_text="key").wait_for()
    assert not page.locator("[data-result]").is_visible()
    assert not any(one.is_visible() for one in page.get_by_text("The key works.").all())


def test_while_a_test_runs_nothing_of_the_one_before_is_shown(sign_in: OpenPage) -> None:
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}"))
    _test(page, SECRET)
    page.locator("[data-line]", has_text="The key works.").wait_for()
    page.unroute("**/v1/accounts/**")
    page.route("**/v1/accounts/**", lambda route: None)  # never answered

    page.get_by_role("button", name="Run test").click()

    cancel = page.get_by_role("button", name="Cancel")
    cancel.wait_for()
    assert not page.locator("[data-result]").is_visible()
    page.wait_for_timeout(700)  # not taken for the rest of a double click any more
    cancel.click()
    page.locator("[data-line]", has_text="Canceled.").wait_for()


def test_a_double_click_runs_one_test(sign_in: OpenPage) -> None:
    page, held = sign_in(), list["Route"]()
    page.route("**/v1/accounts/**", lambda route: held.append(route))
    page.get_by_role("link", name="Test API key").click()
    page.get_by_label("API key", exact=True).fill(SECRET)

    page.get_by_role("button", name="Run test").dblclick()
    page.get_by_role("button", name="Cancel").wait_for()
    assert len(held) == 1
    held[0].fulfill(body="{}")

    page.locator("[data-line]", has_text="The key works.").wait_for()


@pytest.mark.parametrize("count", [3, 300])
def test_the_response_is_laid_out_and_shown_whole_on_request(sign_in: OpenPage, count: int) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))
    body = {"items": [1234] * count, "pageSize": 5}
    page.route("**/v1/accounts/**", lambda route: route.fulfill(json=body))
    whole = json.dumps(body, indent=2)

    _test(page, SECRET)

    shown = page.locator("[data-body]")
    page.locator("[data-line]", has_text="ms").wait_for()
    if count == 3:
        assert shown.text_content() == whole
        assert page.get_by_text(f"Response · {len(whole)} characters").is_visible()
        assert not page.get_by_role("button", name="Show all").is_visible()
        return
    assert shown.text_content() == whole[:800]
    assert page.get_by_text(f"Showing 800 of {len(whole):,} characters").is_visible()
    page.get_by_role("button", name="Show all").click()
    assert shown.text_content() == whole
    page.get_by_role("button", name="Copy full JSON").click()
    page.get_by_text("Full response copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == whole


def test_the_result_says_the_request_and_the_headers(sign_in: OpenPage) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))
    headers = {"X-Request-Id": "req_1", "RateLimit": '"key";r=9', "Set-Other": "x"}
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}", headers=headers))

    _test(page, SECRET)

    page.get_by_role("button", name="Copy request ID").click()
    page.get_by_text("Request ID copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "req_1"
    page.get_by_text("Response headers").click()
    lines = page.locator("[data-header-lines]").inner_text().splitlines()
    assert lines == ["x-request-id: req_1", 'ratelimit: "key";r=9']


TEXTS = [
    '{"a":[],"b":{"c":1.0,"d":[1,2,{"e":"x: {"}]}}',
    "[]",
    "7",
    '"x"',
    "no",
    "[NaN]",
    "{",
    "1e999",
]


def test_script_and_server_lay_out_json_alike(sign_in: OpenPage) -> None:
    page = sign_in()
    page.goto("/o/acme/settings/developer/test/")
    texts = [*TEXTS, "[" * 102 + "]" * 102, json.dumps(["ü", None, True, -2.5])]

    written = page.evaluate(
        """async (texts) => {
          const pages = document.querySelector("script[src*='js/pages']").src;
          const { laidOut } = await import(pages.replace(/pages(\\.\\w+)?\\.js/, "json-text.js"));
          return texts.map(laidOut);
        }""",
        texts,
    )

    assert written == [json_text.laid_out(text) for text in texts]


def test_the_key_is_masked_until_it_is_asked_for(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Test API key").click()
    field = page.get_by_label("API key", exact=True)
    field.fill(SECRET)
    assert is_masked(field)

    page.get_by_role("button", name="Show key").click()
    assert not is_masked(field)
    page.get_by_role("button", name="Show key").click()
    assert is_masked(field)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_key_is_masked_on_the_page_too(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    page.goto("/o/acme/settings/developer/test/")

    assert is_masked(page.get_by_label("API key", exact=True))


def _error(code: object, message: object) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


RESPONSES = [
    Probe(status=200, body="{}"),
    Probe(status=204),
    Probe(status=401, body=_error("unauthorized", "No such key.")),
    Probe(status=401, body=_error("key_expired", "It expired on 2026-11-04T14:05:09.123Z.")),
    Probe(status=401, body=_error("key_disabled", None)),
    Probe(status=401, body=_error(7, {"a": 1})),
    Probe(status=401, body="null"),
    Probe(status=403, body=_error("forbidden", "Needs signatures.read.")),
    Probe(status=403, body="<p>no</p>"),
    Probe(status=404, body="{}"),
    Probe(status=418, body=_error("key_teapot", "Short and stout.")),
    Probe(status=429, body="{}", retry_after="7"),
    Probe(status=429, body="{}"),
    Probe(status=503, body="[]", request_id="req_1"),
    Probe(status=500),
]


def test_script_and_server_say_the_same_of_each_response(sign_in: OpenPage) -> None:
    page, said = sign_in(), []
    page.goto("/o/acme/settings/developer/test/")
    page.get_by_label("API key", exact=True).fill(SECRET)

    for probe in RESPONSES:
        headers = {"X-Request-Id": probe.request_id, "Retry-After": probe.retry_after}
        sent = {name: value for name, value in headers.items() if value}
        with page.expect_request("**/v1/accounts/**"):
            page.route("**/v1/accounts/**", _fulfill(probe, sent), times=1)
            # Without the line of the response before, which would be taken for this one's.
            page.evaluate("document.querySelector('[data-line]').textContent = ''")
            page.get_by_role("button", name="Run test").click()
        line = page.locator("[data-line]", has_text=" ms · ")
        said.append((line.text_content() or "").split(" ms · ")[1])

    assert said == [messages.verdict(probe) for probe in RESPONSES]


def _fulfill(probe: Probe, headers: dict[str, str]) -> "Callable[[Route], None]":
    return lambda route: route.fulfill(status=probe.status, headers=headers, body=probe.body)


def test_script_and_server_find_the_same_mistakes_in_keys(sign_in: OpenPage) -> None:
    page, called = sign_in(), list[str]()
    page.on("request", lambda request: called.append(request.url))
    page.goto("/o/acme/settings/developer/test/")
    made = [tokens.generate(brand, tokens.Environment.TEST) for brand in ("a", "sig", "old2")]
    typos = [secret[:-1] + ("x" if secret[-1] != "x" else "y") for secret in made]
    pasted = ["", "hello", SECRET + "\u00e9", *typos, f"x{SECRET}", SECRET.upper()]
    pasted += [SECRET[:-1], SECRET + "a", "sig_live_", f"sk_live_{'a' * 24}"]

    found = []
    for text in pasted:
        page.get_by_label("API key", exact=True).fill(text)
        page.get_by_role("button", name="Run test").click()
        found.append(page.locator("[data-test-error]").text_content())

    assert found == [messages.shape_problem(text) for text in pasted]
    assert {sentence("empty"), sentence("typo"), messages.wrong_shape()} < set(found)
    assert "This key is incomplete: it has 48 of 49 characters. Copy it again." in found
    assert [url for url in called if "/v1/" in url] == []

    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}"))
    for secret in made:
        page.get_by_label("API key", exact=True).fill(secret)
        page.get_by_role("button", name="Run test").click()
        page.locator("[data-line]", has_text="The key works.").wait_for()
        assert page.locator("[data-test-error]").text_content() == ""


def test_the_page_tells_its_script_nothing_secret(
    sign_in: OpenPage, make_key: "Callable[..., Issued]"
) -> None:
    issued, page = make_key(name="Shop"), sign_in()
    page.goto("/o/acme/settings/developer/test/")

    told = json.loads(page.locator("form[data-test] script").text_content() or "")

    assert set(told) == {
        *("sentences", "by_status", "format", "hidden", "headers", "shown", "url", "command")
    }
    assert issued.secret not in page.content()
    assert issued.key.key_prefix not in json.dumps(told)
