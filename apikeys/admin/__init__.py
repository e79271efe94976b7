"""Admin of API keys and key templates."""

from apikeys.admin.keys import ApiKeyAdmin
from apikeys.admin.service_accounts import DeletableServiceAccountAdmin
from apikeys.admin.templates import KeyTemplateAdmin
from organizations.admin import OrganizationAdmin

OrganizationAdmin.related_lists |= {
    "API keys": "apikeys_apikey",
    "Key templates": "apikeys_keytemplate",
}

__all__ = ["ApiKeyAdmin", "DeletableServiceAccountAdmin", "KeyTemplateAdmin"]
