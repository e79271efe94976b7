"""The WSGI application: `granian --interface wsgi config.wsgi:application`."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import env, patience
from config.logs import redact_crashes
from config.whole import measured

redact_crashes()
env.load()

# What is no request's, such as writing usage, waits as long, but each time anew.
patience.limit_each_wait(settings.DATABASE_PATIENCE)
application = measured(get_wsgi_application(), limit=2_500_000)
