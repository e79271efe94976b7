"""Date formats that replace those of the language."""
