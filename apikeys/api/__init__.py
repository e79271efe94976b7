"""The REST API: one set of views and services, several wire formats."""
