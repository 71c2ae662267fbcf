"""The least that looks like vLLM: loads for a while, answers chats, tells its numbers."""

from __future__ import annotations

import argparse
import os
import sys
import time

from aiohttp import web


def main() -> None:
    """Serve until SIGTERM."""
    options = _options()
    if options.exit_after is not None:
        time.sleep(options.exit_after)
        sys.exit("RuntimeError: Engine core initialization failed")
    print("loading the weights", flush=True)
    time.sleep(options.load_seconds)
    print("Application startup complete.", flush=True)
    app = web.Application()
    app["options"] = options
    app.add_routes(
        [
            web.get("/health", _health),
            web.get("/version", _version),
            web.get("/metrics", _metrics),
            web.get("/v1/models", _models),
            web.post("/v1/chat/completions", _chat),
        ]
    )
    web.run_app(app, host="0.0.0.0", port=options.port, print=None)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("model_tag", nargs="?", default="model")
    parser.add_argument("--served-model-name")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--load-seconds", type=float, default=0.0)
    parser.add_argument("--exit-after", type=float)
    return parser.parse_known_args()[0]


def _name(request: web.Request) -> str:
    options = request.app["options"]
    return str(options.served_model_name or options.model_tag)


def _check(request: web.Request) -> None:
    key = os.environ.get("VLLM_API_KEY")
    if key and request.headers.get("Authorization") != f"Bearer {key}":
        raise web.HTTPUnauthorized


async def _health(_request: web.Request) -> web.Response:
    return web.Response()


async def _version(_request: web.Request) -> web.Response:
    return web.json_response({"version": "0.33.0"})


async def _metrics(_request: web.Request) -> web.Response:
    line = 'vllm:cache_config_info{block_size="16",num_gpu_blocks="2048"} 1.0\n'
    return web.Response(text=f"# TYPE vllm:cache_config_info gauge\n{line}")


async def _models(request: web.Request) -> web.Response:
    _check(request)
    return web.json_response({"object": "list", "data": [{"id": _name(request)}]})


async def _chat(request: web.Request) -> web.Response:
    _check(request)
    choice = {"index": 0, "message": {"role": "assistant", "content": "one"}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"id": "c", "object": "chat.completion", "model": _name(request)}
    return web.json_response({**body, "choices": [choice], "usage": usage})


if __name__ == "__main__":
    main()
