"""Inference Endpoints: rendered, asked for, waited for, proven and ended."""
