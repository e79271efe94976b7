"""The developer guide: how to use API keys, and what each error means."""
