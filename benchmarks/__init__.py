"""How fast keys are checked, beside what a user would pick instead: `make bench`."""
