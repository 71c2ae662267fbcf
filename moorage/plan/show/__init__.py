"""Plans for people, for machines and for pull requests."""
