"""The benchmark's Django project: the application, similar packages, and a view for each."""
