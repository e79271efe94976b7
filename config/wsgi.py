"""The WSGI application: `granian --interface wsgi config.wsgi:application`."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config import env, stopping
from config.logs import redact_crashes
from config.middleware.mounting import mounted
from config.postgresql import wait_budget
from config.wsgi_body import measured
from config.wsgi_forwarded import reading_forwarded
from core import bulkheads
from core.request_bodies import receivers
from organizations.checks import refuse_atomic_requests

stopping.heed_main_process()
redact_crashes()
env.load()
refuse_atomic_requests()

# Work outside requests, such as writing usage, has this limit for each wait.
wait_budget.limit_each_wait(settings.DATABASE_TIMEOUT)
bulkheads.limit(settings.WORKER_THREADS)
receivers.limit(settings.WORKER_THREADS)
_django = get_wsgi_application()

from config.wsgi_shield import shielded  # noqa: E402 - needs the apps to be ready

application = measured(shielded(_django), limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
if settings.USE_FORWARDED_HEADER:
    application = reading_forwarded(application)
application = mounted(application)
