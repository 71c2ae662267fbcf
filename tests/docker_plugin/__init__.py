"""A stand-in of Pulumi's docker plugin, for machines that cannot have the real one.

Same tokens, properties and rules of replacement for what components use, on Docker's SDK; with the
real one's ways, bad ones as well, so that components which work here are those that work there.
"""
