"""What tests of handlers need: a client of the protocol, a stage to try them on, kills at will."""
