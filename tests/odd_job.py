"""A small job for tests of how jobs are run: it says where it is, fails, ends or waits."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

JOB, *WORDS = sys.argv[1:]

if __name__ == "__main__":
    match JOB:
        case "say":
            sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
            print(json.dumps([*WORDS, os.environ.get("ODD"), str(Path.cwd())]))
            print("said", file=sys.stderr)
        case "fail":
            raise ValueError(WORDS)
        case "end":
            sys.exit(int(WORDS[0]))
        case _:
            print("waiting", file=sys.stderr, flush=True)
            time.sleep(60)
