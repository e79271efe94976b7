"""Verifies API keys. Performance-critical; independent of HTTP and of the services."""
