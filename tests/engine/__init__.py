"""What serves a model on this machine."""
