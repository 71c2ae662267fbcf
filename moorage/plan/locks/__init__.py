"""The lock beside a spec: read, written, described, and what a model's facts are made of."""
