"""Django's backend for PostgreSQL, with connections that do not wait for a silent server."""
