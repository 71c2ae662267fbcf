"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider.handler import Handler
from moorage.provider.handlers import api_key, model_file, openai_server, process

HANDLERS: Final[dict[str, Handler]] = {
    "moorage:index:ApiKey": api_key,
    "moorage:index:ModelFile": model_file,
    "moorage:index:OpenAIServer": openai_server,
    "moorage:index:Process": process,
}
