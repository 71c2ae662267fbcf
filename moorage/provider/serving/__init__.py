"""What is asked of an engine that shall serve: one real answer, its own numbers, its cache."""
