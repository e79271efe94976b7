"""Settings for every environment. Secrets and URLs come from `env`."""

import django_stubs_ext
from django.contrib.messages import constants as message_levels

from apikeys.scopes import DEFAULT_SCOPES
from config import env
from config.logs import logging_settings

# Allows type arguments of classes such as ModelAdmin at run time.
django_stubs_ext.monkeypatch()

BASE_DIR = env.ROOT
SITE_NAME = env.text("SITE_NAME", "Latchkey")
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key()
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
#: The start of links in emails. Empty in development, where the request's Host is used.
SITE_URL = env.site_url()
#: Where to report vulnerabilities, as URLs, for /.well-known/security.txt. Empty: no such file.
SECURITY_CONTACT = env.security_contacts()
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
#: Whether proxies send Forwarded (RFC 7239). Then X-Forwarded-For and -Proto are ignored.
USE_FORWARDED_HEADER = env.flag("USE_FORWARDED_HEADER")

API_KEY_BRAND = env.brand()
API_KEY_PEPPERS = env.peppers()
API_KEY_LEASE = env.seconds("API_KEY_LEASE", 1)
#: Seconds that known keys keep working while the database is unavailable. Weakens revocation.
API_KEY_STALE_SECONDS = env.number("API_KEY_STALE_SECONDS", 0, most=24 * 60 * 60)
#: Unknown keys per IP address and minute, after which they are rejected unread. 0: no limit.
INVALID_KEYS_PER_MINUTE = env.number("INVALID_KEYS_PER_MINUTE", 300)
#: Default key limit of an organization. 0: no limit.
KEYS_PER_ORGANIZATION = env.number("KEYS_PER_ORGANIZATION", 1000)
#: Seconds between two batches of usage. 0: none are written.
USAGE_INTERVAL = env.seconds("USAGE_INTERVAL", 2)
API_KEY_SCOPES = DEFAULT_SCOPES
API_BODY_LIMIT = 64 * 1024
#: Maximum body size of pages in bytes, including files (`refuse_large`).
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
#: Whether successful reads are logged. Usage counts them either way.
API_ACCESS_LOG = env.flag("API_ACCESS_LOG")
#: Limits are divided by this number while the shared store is unavailable.
RATE_LIMIT_PROCESSES = env.processes()
#: At most half of them may do work that waits (`core.bulkheads`).
WORKER_THREADS = env.worker_threads()
RATE_LIMIT_TIERS = {
    "standard": "600/minute",
    "high": "6000/minute",
    "maximum": "60000/minute",
}
#: The limit of all keys of an organization is its tier times this factor. 0: no limit.
ORGANIZATION_RATE_LIMIT_FACTOR = env.number("ORGANIZATION_RATE_LIMIT_FACTOR", 10, most=1_000_000)

#: Days for which `maintain` keeps data (docs/operations). 0: forever.
RETENTION_ADDRESS_DAYS = env.retention("RETENTION_ADDRESS_DAYS", 365, least=30)
RETENTION_USAGE_DAYS = env.retention("RETENTION_USAGE_DAYS", 400, least=91)
RETENTION_SECRET_DAYS = env.retention("RETENTION_SECRET_DAYS", 400, least=30)
RETENTION_SUBMISSION_DAYS = env.retention("RETENTION_SUBMISSION_DAYS", 30, least=1)
RETENTION_UNCONFIRMED_DAYS = env.retention("RETENTION_UNCONFIRMED_DAYS", 30, least=7)

INSTALLED_APPS = [
    "config.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "heroicons",
    "organizations",
    "apikeys",
]
MIDDLEWARE = [
    "config.middleware.request_context.request_context",
    "config.health.health_checks",
    "config.middleware.api_bypass.bypass_for_api",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.request_context.refuse_large",
    "config.middleware.request_context.receive_body",
    "config.middleware.request_context.refuse_null",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.middleware.secrets_in_urls.cut_secrets_in_url",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "config.middleware.signed_out.say_signed_out",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.api_bypass.api_exit",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [env.ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.theme.frame",
                "organizations.pages.context.account_frame",
            ],
        },
    },
]

FORM_RENDERER = "core.forms.FormRenderer"

DATABASES = {"default": env.database()}
# Opening a connection, even to SQLite, costs more than checking a key.
DATABASES["default"]["CONN_MAX_AGE"] = 60
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Immediate transactions and WAL: concurrent writers wait instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["ENGINE"] = "config.postgresql"
    # The URL may contain options, such as ?sslmode=verify-full.
    options = DATABASES["default"].get("OPTIONS", {})
    # The connection is closed if the server doesn't respond for 3 seconds.
    timeouts = {"connect_timeout": 2, "tcp_user_timeout": 3000}
    # Prepared statements require a direct connection, without a pooler (ADR 0015).
    shared = DATABASES["default"].get("DISABLE_SERVER_SIDE_CURSORS")
    prepares = {"prepare_threshold": None if shared else 0}
    DATABASES["default"]["OPTIONS"] = {**timeouts, **prepares, **options}
#: Seconds that a request may wait for PostgreSQL in total. 0: no limit.
DATABASE_TIMEOUT = env.seconds("DATABASE_TIMEOUT", 2, old_name="DATABASE_PATIENCE")

REDIS_URL = env.redis_url()
#: Timeout of Redis in seconds, after which a process counts separately.
REDIS_TIMEOUT = env.seconds("REDIS_TIMEOUT", 0.2, old_name="REDIS_PATIENCE")
CACHES = {
    "default": {
        "BACKEND": "config.caches.EnduringCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"store_timeout": REDIS_TIMEOUT},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

AUTH_USER_MODEL = "organizations.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "organizations.signin.passwords.BarredWordsValidator"})
#: Words that don't count in passwords, in addition to the names of the user's organizations.
PASSWORD_BARRED_WORDS = [
    *("Latchkey", SITE_NAME, API_KEY_BRAND),
    *("password", "admin", "staff", "developer", "apikey", "secret", "welcome", "changeme"),
    *env.words("PASSWORD_BARRED_WORDS", []),
]
AUTHENTICATION_BACKENDS = ["organizations.signin.backend.SignInBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "organizations.signin.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
#: django-allauth's forms with length limits.
_FORMS = "organizations.signin.forms"
ACCOUNT_FORMS = {
    "signup": "organizations.signin.signup.SignUpForm",
    "login": f"{_FORMS}.LoginForm",
    "add_email": f"{_FORMS}.AddEmailForm",
    "change_password": f"{_FORMS}.ChangePasswordForm",
    "set_password": f"{_FORMS}.SetPasswordForm",
    "reset_password": f"{_FORMS}.ResetPasswordForm",
    "reset_password_from_key": f"{_FORMS}.ResetPasswordKeyForm",
    "user_token": f"{_FORMS}.UserTokenForm",
    "reauthenticate": f"{_FORMS}.ReauthenticateForm",
    "confirm_login_code": f"{_FORMS}.ConfirmLoginCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Users can sign up with an email address that another account has added but not confirmed.
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Notify users of changes to how they sign in.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_USER_DISPLAY = str
MFA_ADAPTER = "organizations.signin.mfa.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": f"{_FORMS}.AuthenticateForm",
    "authenticate_webauthn": f"{_FORMS}.AuthenticatePasskeyForm",
    "reauthenticate": f"{_FORMS}.ReauthenticateCodeForm",
    "reauthenticate_webauthn": f"{_FORMS}.ReauthenticatePasskeyForm",
    "activate_totp": f"{_FORMS}.ActivateTOTPForm",
    "add_webauthn": f"{_FORMS}.NewPasskeyForm",
    "edit_webauthn": f"{_FORMS}.PasskeyNameForm",
    "login_webauthn": f"{_FORMS}.LoginPasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
# Without HTTPS, browsers allow passkeys only on localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = env.flag("PASSKEYS_WITHOUT_HTTPS")
#: Whether staff need a second factor to use the admin.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", default=True)
USERSESSIONS_TRACK_ACTIVITY = False
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "noreply@localhost")
# An unresponsive mail server must not block a worker.
EMAIL_TIMEOUT = 5
vars().update(env.mail())

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATIC_ROOT = env.VAR / "static"
STATICFILES_DIRS = [env.ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.Storage"},
}

SESSION_ENGINE = "organizations.signin.session_store"
#: Idle minutes after which a session expires. 0: never.
SESSION_IDLE_MINUTES = env.number("SESSION_IDLE_MINUTES", 12 * 60)
#: Days after the sign-in when a session expires, used or not.
SESSION_COOKIE_AGE = env.number("SESSION_DAYS", 14, least=1, most=365) * 24 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.error_views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    },
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
MESSAGE_LEVEL = message_levels.INFO

#: The public URL of the API. The Test page may send requests only there.
API_BASE_URL = env.base_url()

REST_FRAMEWORK = {
    # A view without its own classes is closed to everyone.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,
}

#: The password that the demo prints. Unused elsewhere.
DEMO_PASSWORD = env.text("DEMO_PASSWORD")

DEFAULT_EXCEPTION_REPORTER = "config.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.ReportFilter"
LOGGING_CONFIG = None
LOGGING = logging_settings(level=env.log_level())
