"""Every settings page with a URL for it, from the URL configuration."""

from collections.abc import Callable
from typing import Any, Final

from django.urls import URLPattern, reverse

from apikeys.pages import urls as key_urls
from organizations.pages import urls as organization_urls

Address = Callable[..., str]
_MODULES: Final = {"organizations": organization_urls, "apikeys": key_urls}


def pages_with(part: str) -> list[tuple[str, str]]:
    """The pages whose address has `part` in it: app and name."""
    return [
        (module.app_name, str(pattern.name))
        for module in _MODULES.values()
        for pattern in module.urlpatterns
        if isinstance(pattern, URLPattern) and part in str(pattern.pattern)
    ]


PAGES: Final = pages_with("<slug:slug>")
SUBJECT_PAGES: Final = pages_with("_id>")


def address_of(app: str, name: str, known: dict[str, Any]) -> str:
    """The address of a page, with the parts that it needs out of `known`."""
    pattern = next(p for p in _MODULES[app].urlpatterns if p.name == name)
    wanted = pattern.pattern.converters
    return reverse(f"{app}:{name}", kwargs={part: known[part] for part in wanted})
