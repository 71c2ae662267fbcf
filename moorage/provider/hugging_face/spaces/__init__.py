"""Spaces: made, filled, started, waited for, and kept as they are declared."""
