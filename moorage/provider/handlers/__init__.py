"""The resource types and the module that handles each."""

from __future__ import annotations

from typing import Final

from moorage.late import Late
from moorage.provider.handler import Handler

_HERE: Final = "moorage.provider.handlers"
_AWS: Final = "moorage.provider.aws"
_DOCKER: Final = "moorage.provider.docker_host"
_HUGGING_FACE: Final = "moorage.provider.hugging_face"

HANDLERS: Final = Late[Handler](
    {
        "moorage:index:ApiKey": f"{_HERE}.api_key:HANDLER",
        "moorage:index:Collection": f"{_HUGGING_FACE}.repositories.collection:HANDLER",
        "moorage:index:ContainerSlot": f"{_DOCKER}.container_slot:HANDLER",
        "moorage:index:EngineReady": f"{_DOCKER}.engine_ready:HANDLER",
        "moorage:index:GpuHost": f"{_AWS}.gpu_host:HANDLER",
        "moorage:index:InferenceEndpoint": f"{_HUGGING_FACE}.endpoints.inference_endpoint:HANDLER",
        "moorage:index:ModelFile": f"{_HERE}.model_file:HANDLER",
        "moorage:index:ModelRepository": f"{_HUGGING_FACE}.repositories.model_repository:HANDLER",
        "moorage:index:OpenAIServer": f"{_HERE}.openai_server:HANDLER",
        "moorage:index:Process": f"{_HERE}.process:HANDLER",
        "moorage:index:RouterRoute": f"{_HUGGING_FACE}.routing.router_route:HANDLER",
        "moorage:index:Space": f"{_HUGGING_FACE}.spaces.space:HANDLER",
    }
)
