"""Settings for HTTPS, the default unless another settings module is selected."""

from config import env
from config.settings.base import *  # noqa: F403

env.require_mail_server()

SITE_URL = env.site_url(required=True)
SECURE_SSL_REDIRECT = True
#: With a redirect, clients would send their key twice, the first time unencrypted.
SECURE_REDIRECT_EXEMPT = [r"^(?:v1|api|envelope)(?:/|$)", r"^(?:livez|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers accept cookies with this prefix only over HTTPS and only from this host, so that
# subdomains can't set them.
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
