"""What HTTPS adds: the default wherever no other settings module is named."""

from config import env
from config.settings.base import *  # noqa: F403

env.require_mail_server()

SITE_URL = env.site_url(required=True)
SECURE_SSL_REDIRECT = True
#: A redirect would make a client send its key twice, the first time in the clear.
SECURE_REDIRECT_EXEMPT = [r"^(?:v1|api|envelope)(?:/|$)", r"^(?:livez|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers take cookies of such a name by HTTPS only, from this very host, for all of its paths:
# no subdomain can plant one.
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
