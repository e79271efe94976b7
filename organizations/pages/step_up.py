"""Reauthentication on the settings pages: asks for the password and keeps the input."""

from typing import ClassVar, Final

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse

from organizations.pages.base import OrganizationPage
from organizations.signin import step_up

#: Sent by the confirmation's Cancel button: shows the form again instead of making the change.
GOES_BACK: Final = "step_back"


class StepUpPage(OrganizationPage):
    """A page whose changes require the password unless the sign-in is recent.

    These are all changes that extend permissions or change who has access.
    `tests/pages/test_step_up.py` lists them. A page that understands GOES_BACK can go back.
    """

    can_go_back: ClassVar[bool] = False

    def confirmed(self) -> HttpResponse | None:
        """The page that asks for the password, or None if the change may proceed."""
        step = step_up.StepUp(self.request)
        form = step.confirm()
        if form is None:
            return None
        context = {
            "form": form,
            "carried": step.input(),
            "goes_back": GOES_BACK if self.can_go_back else "",
            "has_second_factor": is_mfa_enabled(self.request.user),
        }
        return self.render("organizations/confirm.html", context, status=422)
