"""Scenarios: small programs in versions, on the real engine, with all that has to come of them."""
