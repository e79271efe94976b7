"""Date formats that override Django's."""
