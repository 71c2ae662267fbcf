"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider.handler import Handler
from moorage.provider.handlers import api_key, model_file, openai_server, process
from moorage.provider.hugging_face import router_route

HANDLERS: Final[dict[str, Handler]] = {
    "moorage:index:ApiKey": api_key.HANDLER,
    "moorage:index:ModelFile": model_file.HANDLER,
    "moorage:index:OpenAIServer": openai_server.HANDLER,
    "moorage:index:Process": process.HANDLER,
    "moorage:index:RouterRoute": router_route.HANDLER,
}
