"""The customers' pages about keys: Settings → Developer."""
