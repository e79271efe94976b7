"""The developers' guide: what a key is, how to use one, and what each error means."""
