"""`moorage doctor`: what is installed, reachable and running here, and what is missing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from moorage.errors import Exit

if TYPE_CHECKING:
    from moorage.deploy.checkup import Finding

MARKS = {True: "ok", False: "MISSING", None: "-"}


def configure(parser: argparse.ArgumentParser) -> None:
    """How the findings are printed."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the findings; the exit code says whether something needed is missing."""
    from moorage.deploy.checkup import checkup
    from moorage.plan.project import find_root

    findings = checkup(find_root(Path.cwd()))
    print(json.dumps([asdict(one) for one in findings]) if args.json else as_text(findings))
    return int(Exit.PROBLEMS if any(one.fine is False for one in findings) else Exit.FINE)


def as_text(findings: list[Finding]) -> str:
    """The findings, grouped by area."""
    width = max(len(one.what) for one in findings)
    areas = dict.fromkeys(one.area for one in findings)
    return "\n".join(
        "\n".join(
            [
                area,
                *(
                    f"  {MARKS[f.fine]:8}{f.what:{width}}  {f.says}"
                    for f in findings
                    if f.area == area
                ),
            ]
        )
        for area in areas
    )
