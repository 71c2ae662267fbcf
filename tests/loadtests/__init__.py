"""The load tests, held to their word."""
