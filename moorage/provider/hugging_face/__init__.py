"""The handlers of Hugging Face: what is created there, changed, proven and taken away."""
