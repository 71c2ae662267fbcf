"""One OpenAI-compatible address in front of many backends: the first that can answer, answers."""
