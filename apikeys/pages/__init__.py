"""Settings → Developer: the pages on which customers manage their API keys."""
