"""moorage turns a YAML spec of a model service into running, measured endpoints."""

__version__ = "0.1.0"
