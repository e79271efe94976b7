"""Searches for every secret that a test run issues wherever it must not be."""
