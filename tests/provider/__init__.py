"""How one remote thing is created, read, changed and deleted."""
