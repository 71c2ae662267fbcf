"""A small HTTP server to be moored: python small_server.py PORT [--option value]…

GET anything answers {"path", "key", "digest"}; POST echoes the body. `--after S` answers 503 for
so long, `--die TEXT` prints the text and exits with 3, `--stubborn` ignores SIGTERM, `--helper`
starts a child in the same session, `--reload FILE` reads FILE again upon SIGHUP.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--after", type=float, default=0)
    parser.add_argument("--die")
    parser.add_argument("--stubborn", action="store_true")
    parser.add_argument("--helper", action="store_true")
    parser.add_argument("--reload", type=Path)
    parser.add_argument("--mark", help="for differing arguments only")
    options = parser.parse_args()
    if options.die:
        print("starting up\n" + options.die + "\n\n", flush=True)
        sys.exit(3)
    if options.helper:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    serve(options)


def serve(options: argparse.Namespace) -> None:
    began = time.monotonic()
    digest = read_digest(options.reload)

    def reload(*_: object) -> None:
        nonlocal digest
        digest = read_digest(options.reload)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = time.monotonic() - began >= options.after
            key = self.headers.get("Authorization")
            self.answer(200 if ready else 503, {"path": self.path, "key": key, "digest": digest})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(200, {"path": self.path, "body": body})

        def answer(self, status: int, value: object) -> None:
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    signal.signal(signal.SIGHUP, reload)
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()


def read_digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
