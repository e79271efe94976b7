"""Settings → Developer: the pages where customers manage their API keys."""
