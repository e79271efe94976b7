"""URLs of Settings → Developer."""

from django.urls import path

from apikeys.pages import (
    access,
    organization_export,
    remove_member,
    service_accounts,
    templates,
)
from apikeys.pages.activity import views as activity
from apikeys.pages.key_test import views as testing
from apikeys.pages.keys import bulk, create, detail, export, index
from apikeys.pages.usage import views as usage

app_name = "apikeys"
_ROOT = "o/<slug:slug>/settings/developer/"
_KEY = f"{_ROOT}keys/<str:key_id>/"
_TEMPLATES = f"{_ROOT}templates/"
_TEMPLATE = f"{_TEMPLATES}<str:template_id>/"
_ACCOUNTS = f"{_ROOT}service-accounts/"
_ACCOUNT = f"{_ACCOUNTS}<str:account_id>/"

urlpatterns = [
    path(_ROOT, index.KeyListPage.as_view(), name="configuration"),
    path(f"{_ROOT}test/", testing.PastedKey.as_view(), name="test"),
    path(f"{_ROOT}keys/create/", create.CreateKey.as_view(), name="create"),
    path(f"{_ROOT}keys/delete/", bulk.DeleteKeys.as_view(), name="delete-many"),
    path(f"{_ROOT}keys/disable/", bulk.DisableKeys.as_view(), name="disable-many"),
    path(f"{_ROOT}keys/enable/", bulk.EnableKeys.as_view(), name="enable-many"),
    path(f"{_ROOT}keys/export/", export.KeyExport.as_view(), name="keys-csv"),
    path(_KEY, detail.KeyDetail.as_view(), name="key"),
    path(f"{_KEY}edit/", detail.EditKey.as_view(), name="edit"),
    path(f"{_KEY}rotate/", create.RotateKey.as_view(), name="rotate"),
    path(f"{_KEY}switch/", detail.SwitchKey.as_view(), name="switch"),
    path(f"{_KEY}delete/", detail.DeleteKey.as_view(), name="delete"),
    path(_TEMPLATES, templates.Templates.as_view(), name="templates"),
    path(f"{_TEMPLATES}create/", templates.CreateTemplate.as_view(), name="template-create"),
    path(f"{_TEMPLATE}edit/", templates.EditTemplate.as_view(), name="template-edit"),
    path(f"{_TEMPLATE}delete/", templates.DeleteTemplate.as_view(), name="template-delete"),
    path(_ACCOUNTS, service_accounts.ServiceAccounts.as_view(), name="service-accounts"),
    path(
        f"{_ACCOUNTS}create/",
        service_accounts.CreateServiceAccount.as_view(),
        name="service-account-create",
    ),
    path(_ACCOUNT, service_accounts.ServiceAccountDetail.as_view(), name="service-account"),
    path(
        f"{_ACCOUNT}edit/",
        service_accounts.EditServiceAccount.as_view(),
        name="service-account-edit",
    ),
    path(
        f"{_ACCOUNT}switch/",
        service_accounts.SwitchServiceAccount.as_view(),
        name="service-account-switch",
    ),
    path(
        f"{_ACCOUNT}delete/",
        service_accounts.DeleteServiceAccount.as_view(),
        name="service-account-delete",
    ),
    path(f"{_ROOT}usage/", usage.Usage.as_view(), name="usage"),
    path(f"{_ROOT}usage/export/", usage.UsageExport.as_view(), name="usage-csv"),
    path(f"{_ROOT}activity/", activity.Activity.as_view(), name="activity"),
    path(f"{_ROOT}activity/export/", activity.ActivityExport.as_view(), name="activity-csv"),
    path(
        "o/<slug:slug>/settings/members/<uuid:member_id>/remove/",
        remove_member.RemoveMember.as_view(),
        name="remove-member",
    ),
    path(
        "o/<slug:slug>/settings/export/",
        organization_export.OrganizationExport.as_view(),
        name="organization-export",
    ),
    path(f"{_ROOT}access/", access.Access.as_view(), name="access"),
]
