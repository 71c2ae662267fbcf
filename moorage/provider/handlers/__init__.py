"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider.handlers.late import Handlers

HANDLERS: Final = Handlers(
    {
        "moorage:index:ApiKey": "moorage.provider.handlers.api_key",
        "moorage:index:Collection": "moorage.provider.hugging_face.collection",
        "moorage:index:InferenceEndpoint": "moorage.provider.hugging_face.inference_endpoint",
        "moorage:index:ModelFile": "moorage.provider.handlers.model_file",
        "moorage:index:ModelRepository": "moorage.provider.hugging_face.model_repository",
        "moorage:index:OpenAIServer": "moorage.provider.handlers.openai_server",
        "moorage:index:Process": "moorage.provider.handlers.process",
        "moorage:index:RouterRoute": "moorage.provider.hugging_face.router_route",
        "moorage:index:Space": "moorage.provider.hugging_face.space",
    }
)
