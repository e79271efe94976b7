"""The design page is for staff alone."""

import pytest
from django.test import Client

from organizations.models import User
from tests.pages.support import sign_in

pytestmark = pytest.mark.django_db


def test_staff_see_every_component(staff: User) -> None:
    response = sign_in(staff).get("/design/")

    assert response.status_code == 200
    text = response.content.decode()
    assert "<title>Design –" in text
    assert 'style="' not in text


def test_others_do_not_learn_of_it(admin: User) -> None:
    assert Client().get("/design/").status_code == 404
    assert sign_in(admin).get("/design/").status_code == 404
