"""The Test dialog: sends a request with a pasted key."""

from typing import Any, Final

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse

from apikeys.pages.base import DeveloperPage
from apikeys.pages.forms import PastedKeyForm
from apikeys.pages.key_test import characters, client, json_text, messages
from apikeys.pages.key_test.sentences import sentence
from core import bulkheads
from core.bulkheads import Kind
from core.exceptions import Busy
from organizations.pages.base import with_retry

PER_PERSON: Final = "10/minute"
_UNSET: Final = (
    "Without JavaScript this needs the setting API_BASE_URL. Ask the operator of this site."
)


class PastedKey(DeveloperPage):
    """The form. The browser sends the request; without JavaScript this view does."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "test_call" if request.method == "POST" else None

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(PastedKeyForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sends the one fixed request. No response or log contains the key."""
        form = PastedKeyForm(request.POST)
        secret = messages.cleaned_secret(request.POST.get("key", ""))
        problem = messages.shape_problem(secret)
        if problem or not form.is_valid():
            form.add_error("key", problem or messages.wrong_shape())
            return self._show(form, status=422)
        if not settings.API_BASE_URL:
            form.add_error(None, _UNSET)
            return self._show(form, status=422)
        try:
            with bulkheads.hold("test_call", self.organization.id):
                return self._call(secret)
        except Busy as refusal:
            form.add_error(None, refusal.message)
            return with_retry(self._show(form), refusal)

    def _call(self, secret: str) -> HttpResponse:
        self.require_pace("console", PER_PERSON)
        result = client.call(self.organization.public_id, secret)
        return self._show(PastedKeyForm(), result=_readable(result))

    def _show(
        self, form: PastedKeyForm, status: int = 200, result: dict[str, Any] | None = None
    ) -> HttpResponse:
        path = client.path_for(self.organization.public_id)
        url = self.base_url + path
        command = f'curl -H "Authorization: Bearer $API_KEY" \\\n  "{url}"'
        context = {
            "form": form,
            "result": result,
            "path": f"…{path.partition(self.organization.public_id)[2]}",
            "command": command,
            "for_script": messages.for_script(url, command) if self._is_same_origin() else None,
        }
        return self.render("apikeys/test.html", context, status=status)

    def _is_same_origin(self) -> bool:
        # The browser blocks requests to another origin.
        return self.base_url == self.request.build_absolute_uri("/").rstrip("/")


def _readable(result: client.Probe) -> dict[str, Any]:
    text = json_text.laid_out(result.body)
    length, shown = characters.count(text), characters.first(text, messages.SHOWN)
    total = intcomma(length) + ("+" if result.truncated else "")
    is_whole = len(shown) == len(text)
    extent = sentence("whole" if is_whole else "extent", shown=messages.SHOWN, total=total)
    if not json_text.is_json(result.body):
        extent = sentence("not_json", extent=extent)
    return {
        "probe": result,
        "verdict": messages.verdict(result),
        "shown": shown,
        "rest": "" if is_whole else text,
        "extent": extent,
        "headers": "\n".join(f"{name}: {value}" for name, value in result.headers),
        "works": result.status == 200,
    }
