"""The contract suite: every behaviour of `moorage/twin/behaviours.yaml`, checked over plain HTTP.

`make contract` checks the twin. With MOORAGE_LIVE_HF_TOKEN and MOORAGE_LIVE_SPENDING_CAP_USD the
same checks run against the real service, and where it differs is written to a file.
"""
