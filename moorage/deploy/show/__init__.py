"""Displays of one operation: what they know of it, and the forms in which they tell it."""
