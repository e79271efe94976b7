"""Every secret that a run of the tests issues is looked for wherever it must not be."""
