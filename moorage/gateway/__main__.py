"""`python -m moorage.gateway --routes FILE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from moorage.gateway.serve import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="moorage gateway", description="Run the gateway.")
    parser.add_argument("--routes", type=Path, required=True, metavar="FILE")
    return serve(parser.parse_args().routes)


if __name__ == "__main__":
    sys.exit(main())
