"""Repositories and collections of the Hub, kept as they are declared."""
