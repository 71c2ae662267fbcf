"""A real Docker engine for tests, with an image that they make themselves."""
