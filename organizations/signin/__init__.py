"""Signing in and out, on top of django-allauth."""
