"""The WSGI application: `granian --interface wsgi config.wsgi:application`."""

from django.core.wsgi import get_wsgi_application

from config import env

env.load()
application = get_wsgi_application()
