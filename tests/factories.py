"""Factories. Guarded models are created through their services."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from apikeys import services
from apikeys.models import KeyTemplate
from apikeys.services import Issued
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import Invitation, Membership, Organization, ServiceAccount, User
from organizations.roles import Role

SYSTEM = Actor.system("tests")
PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return User.objects.create_user(password=PASSWORD, **fields)


class ServiceFactory(factory.Factory[Any]):
    """Calls a service, as the system unless told otherwise."""

    class Meta:
        abstract = True

    actor = SYSTEM


class OrganizationFactory(ServiceFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")
    admin = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> Organization:
        return organization_services.create_organization(**fields)


class MembershipFactory(ServiceFactory):
    class Meta:
        model = Membership

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.MEMBER

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> Membership:
        return organization_services.add_member(fields.pop("organization"), **fields)


class InvitationFactory(ServiceFactory):
    class Meta:
        model = Invitation

    organization = factory.SubFactory(OrganizationFactory)
    email = factory.Sequence(lambda n: f"invited{n}@example.com")
    role = Role.MEMBER

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> Invitation:
        options = {"link": "https://keys.example.com/invitations/{}/".format, **fields}
        return organization_services.invite(options.pop("organization"), **options)


class ServiceAccountFactory(ServiceFactory):
    class Meta:
        model = ServiceAccount

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Robot {n}")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> ServiceAccount:
        return organization_services.create_service_account(fields.pop("organization"), **fields)


class IssuedKeyFactory(ServiceFactory):
    """A key with its secret in plain text, which only its creation can give."""

    class Meta:
        model = Issued

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Key {n}")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> Issued:
        return services.create_api_key(**fields)


class TemplateFactory(ServiceFactory):
    class Meta:
        model = KeyTemplate

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Template {n}")
    scopes = ["search:read"]

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> KeyTemplate:
        return services.create_template(**fields)
