"""Verification of presented API keys, the hot path. Knows neither HTTP nor the services."""
