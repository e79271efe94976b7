"""The settings pages' step-up: the confirmation asks for the password and carries the input."""

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse

from organizations.pages.base import OrganizationPage
from organizations.signin import step_up


class StepUp(OrganizationPage):
    """A page whose changes ask for the password first where the sign-in is not recent.

    All that widen authority or change who gets in do; `tests/pages/test_step_up.py` lists them.
    """

    def confirmed(self) -> HttpResponse | None:
        """None where the change may go on, or the confirmation's page."""
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
