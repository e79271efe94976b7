"""How dates are written, in place of the language's own."""
