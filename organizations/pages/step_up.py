"""Reauthentication on the settings pages: asks for the password and keeps the input."""

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse

from organizations.pages.base import OrganizationPage
from organizations.signin import step_up


class StepUpPage(OrganizationPage):
    """A page whose changes require the password unless the sign-in is recent.

    These are all changes that extend permissions or change who has access.
    `tests/pages/test_step_up.py` lists them.
    """

    def confirmed(self) -> HttpResponse | None:
        """The page that asks for the password, or None if the change may proceed."""
        step = step_up.StepUp(self.request)
        form = step.confirm()
        if form is None:
            return None
        context = {
            "form": form,
            "carried": step.input(),
            "has_second_factor": is_mfa_enabled(self.request.user),
        }
        return self.render("organizations/confirm.html", context, status=422)
