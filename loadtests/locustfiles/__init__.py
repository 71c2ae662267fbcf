"""The Locust files: the only modules that import locust, always in a process of their own."""
