"""A provider for tests on our framework: a folder is its cloud, a script says what goes wrong."""
