"""Pages about organizations and their people."""
