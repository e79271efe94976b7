"""The REST faces: one set of views and services, several wire formats."""
