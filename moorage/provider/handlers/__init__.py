"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.provider.handlers.late import Handlers

_HERE: Final = "moorage.provider.handlers"
_HUGGING_FACE: Final = "moorage.provider.hugging_face"

HANDLERS: Final = Handlers(
    {
        "moorage:index:ApiKey": f"{_HERE}.api_key",
        "moorage:index:Collection": f"{_HUGGING_FACE}.repositories.collection",
        "moorage:index:InferenceEndpoint": f"{_HUGGING_FACE}.endpoints.inference_endpoint",
        "moorage:index:ModelFile": f"{_HERE}.model_file",
        "moorage:index:ModelRepository": f"{_HUGGING_FACE}.repositories.model_repository",
        "moorage:index:OpenAIServer": f"{_HERE}.openai_server",
        "moorage:index:Process": f"{_HERE}.process",
        "moorage:index:RouterRoute": f"{_HUGGING_FACE}.routing.router_route",
        "moorage:index:Space": f"{_HUGGING_FACE}.spaces.space",
    }
)
