"""What the world sells, as `catalog/` says it, and whether that can be true."""
