"""Pulumi's CLI: found or got, run, interrupted and ended."""
