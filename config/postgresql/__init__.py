"""Django's PostgreSQL backend, with connections that don't wait for an unresponsive server."""
