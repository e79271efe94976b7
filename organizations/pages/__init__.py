"""Pages about organizations and their members."""
