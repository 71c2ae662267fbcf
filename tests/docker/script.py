"""Small programs that Docker starts: functions of ours with nothing around them, quick to start."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_IMPORTS = """from __future__ import annotations
import json
import os
import resource
import sys
from pathlib import Path
"""


def write(path: Path, *functions: Callable[..., Any], call: str) -> None:
    """A program that knows these functions and makes the call."""
    path.parent.mkdir(exist_ok=True)
    known = "\n".join(inspect.getsource(one) for one in functions)
    start = f"#!{sys.executable} -IS\n"
    path.write_text(f"{start}{_IMPORTS}\n{known}\n{call}\n", encoding="utf-8")
    path.chmod(0o755)
