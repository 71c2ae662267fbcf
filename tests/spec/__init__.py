"""Tests of what a file means."""
