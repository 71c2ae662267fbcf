"""Emulators of remote services on loopback, for tests, demos and users' own CI.

`moorage.twin.hub` speaks as much of the Hugging Face Hub as `huggingface_hub` needs to read the
facts of a model and to download its files. `python -m moorage.twin --repos DIR --port P` runs it
as a process; `moorage.twin.hub.serve(repos)` runs it in a thread.
"""
