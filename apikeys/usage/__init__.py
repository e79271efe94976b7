"""Usage of API keys: recorded outside of requests, and reported."""
