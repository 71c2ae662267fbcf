"""`python -m moorage.twin.engine [serve] MODEL --flag value…`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from moorage.twin.engine import conduct, orders
from moorage.twin.engine.orders import RefusedError

USAGE = 2  # argparse's own


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal, or end as told; argparse's code for words that cannot be."""
    try:
        order = orders.read(sys.argv[1:] if argv is None else argv, os.environ)
        ways = conduct.read(os.environ, order)
    except RefusedError as refused:
        print(f"vllm: error: {refused}", file=sys.stderr)
        return USAGE
    from moorage.twin.engine import life

    return life.live(order, ways)


if __name__ == "__main__":
    raise SystemExit(main())
