# Builds the packages and the static files, then leaves the tools behind.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
# Modes of the checkout, such as those of a umask of 077, must not reach the image.
COPY --chmod=755 requirements/base.txt requirements/base.txt
RUN pip install --require-hashes -r requirements/base.txt
COPY --chmod=755 manage.py manage.py
COPY --chmod=755 config config
COPY --chmod=755 core core
COPY --chmod=755 organizations organizations
COPY --chmod=755 apikeys apikeys
COPY --chmod=755 templates templates
COPY --chmod=755 static static
# These secrets live in this one command and are in no layer.
RUN env $(python manage.py generate_secrets) EMAIL_URL=dummymail:// SITE_URL=https://build.invalid \
    python manage.py collectstatic --no-input \
  && chmod 755 var

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 GRANIAN_WORKERS=2 GRANIAN_BLOCKING_THREADS=4
RUN useradd --system --uid 10001 --no-create-home latchkey
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER latchkey
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers-kill-timeout", "8", "--respawn-failed-workers", "--no-ws", "config.wsgi:application"]
