"""Usage of API keys: recording it outside of requests, and reports about it."""
