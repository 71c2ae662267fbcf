"""Emulators of remote services on loopback, for tests, demos and users' own CI.

`moorage.twin.face` is Hugging Face as a whole: Hub, Inference Endpoints, router and the engines
behind the endpoints. `moorage.twin.hub` is the Hub alone. `moorage twin` runs all of it as a
process. What is imitated, and on what evidence, stands in `behaviours.yaml`; docs/twin.md tells
how it is used.
"""
