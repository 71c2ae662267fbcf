"""How engines are told what the plan decided: flags once, then as each place wants them.

`managed` is for images that Hugging Face runs, `server` for containers that moorage starts itself.
"""

from components.engines.beside import WEIGHTS as LOCAL_WEIGHTS
from components.engines.managed import ENGINES, WEIGHTS, Managed, managed
from components.engines.server import SERVERS, Server, server

__all__ = [
    "ENGINES",
    "LOCAL_WEIGHTS",
    "SERVERS",
    "WEIGHTS",
    "Managed",
    "Server",
    "managed",
    "server",
]
