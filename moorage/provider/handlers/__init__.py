"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider.handler import Handler
from moorage.provider.handlers import api_key, model_file, openai_server, process
from moorage.provider.hugging_face import (
    collection,
    inference_endpoint,
    model_repository,
    router_route,
    space,
)

HANDLERS: Final[dict[str, Handler]] = {
    "moorage:index:ApiKey": api_key.HANDLER,
    "moorage:index:Collection": collection.HANDLER,
    "moorage:index:InferenceEndpoint": inference_endpoint.HANDLER,
    "moorage:index:ModelFile": model_file.HANDLER,
    "moorage:index:ModelRepository": model_repository.HANDLER,
    "moorage:index:OpenAIServer": openai_server.HANDLER,
    "moorage:index:Process": process.HANDLER,
    "moorage:index:RouterRoute": router_route.HANDLER,
    "moorage:index:Space": space.HANDLER,
}
