"""Benchmark of API key authentication, compared with similar packages. Run it with `make bench`."""
