"""Containers with GPUs on Docker hosts: where each goes, and whether it truly serves."""
