"""Spoilt specs, locks and policies: none may crash the judge, none may hold it up."""
