"""From what a team wrote to what is meant: which offer, which engine, which provider."""
