"""Everything about signing in and out, on top of django-allauth."""
