"""An engine as a process of its own, told by vLLM's command line what to be.

`python -m moorage.twin.engine serve MODEL --port P` stands where `vllm serve` would: in a
container, on an instance, under a service manager. What it serves is `moorage.twin.openai`.
"""
