"""Rate limits of keys and organizations, shared by all processes through Redis."""
