"""A Django project of the benchmark's own: the application, the peers, and a view of each."""
