"""Who holds a stack: locks, leases, and whether their owners still live."""
