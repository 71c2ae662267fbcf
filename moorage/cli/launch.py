"""The main job of `moorage up --test`: prove, plan, deploy, measure, and say how to go on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moorage.cli import ahead
from moorage.cli.stacks import reports
from moorage.cli.trial import Trial, fingerprint
from moorage.errors import Exit

if TYPE_CHECKING:
    from moorage.deploy.driver import Stack
    from moorage.deploy.options import Options
    from moorage.plan.load import Loaded


def launch(stack: Stack, options: Options, *, asks: bool = True) -> Exit:
    """Bring a stack up and measure it; a stack that already passed, unchanged, is only asked."""
    loaded = ahead.plans(stack)
    prepared = ahead.ready(stack, loaded, asks=asks) if _plan(loaded) else None
    if prepared is None:
        return Exit.PROBLEMS
    with prepared.held(f"moorage up --stack {stack.name} --test"):
        return _deploy_and_measure(prepared, options)


def _deploy_and_measure(stack: Stack, options: Options) -> Exit:
    result = stack.up(options)
    outputs = stack.outputs(show_secrets=True)
    trial = Trial(outputs=outputs, heal=stack.up, folder=reports(stack))
    passed = _Passed(trial.folder / "passed.json")
    if not result.changed and passed.holds(outputs):
        print("nothing changed since the last verdict, which was PASS; asking every service once")
        code = trial.run("ready")
    else:
        passed.forget()
        code = trial.run("smoke", "failover")
        if code is Exit.FINE:
            passed.keep(outputs)
    _say_how_to_go_on(stack, outputs, trial.folder, code)
    return code


def _plan(loaded: Loaded) -> bool:
    """Print what is wrong and what is planned; whether the specs can be deployed."""
    from moorage.plan.show.render import FORMATS
    from moorage.spec import report

    sys.stdout.write(FORMATS["text"](loaded))
    print(report.summary(len(loaded.files), loaded.problems), flush=True)
    return report.exit_code(loaded.problems) == Exit.FINE


class _Passed:
    """The note that a deployment passed, so that the same one is not measured again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def holds(self, outputs: Any) -> bool:
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(noted == {"fingerprint": fingerprint(outputs)})

    def keep(self, outputs: Any) -> None:
        text = json.dumps({"fingerprint": fingerprint(outputs)}) + "\n"
        self._path.write_text(text, encoding="utf-8")

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def _say_how_to_go_on(stack: Stack, outputs: Any, folder: Path, code: Exit) -> None:
    print()
    for name, service in outputs["services"].items():
        print(f"{name}  {service['url']}  model {service['model']}")
        print(f"  {_curl(name, service, outputs['details'][name]['task'], stack.name)}")
    print(f"reports  {_short(folder)}")
    print(f"verdict  {'PASS' if code is Exit.FINE else f'not PASS, exit code {int(code)}'}")


def _curl(name: str, service: Any, task: str, stack: str) -> str:
    """A line to try; the key is fetched when it runs, so it stands in no log."""
    moorage = _short(Path(sys.prefix, "bin", "moorage"))
    key = f"$({moorage} outputs --stack {stack} --key {name})"
    from moorage.spec.tasks import TASKS

    if TASKS[task].chats:
        body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 32}
    else:
        body = {"input": "Say hello."}
    data = json.dumps({"model": service["model"], **body})
    url = f"{service['url']}/{TASKS[task].path}"
    return f"curl -s {url} -H \"Authorization: Bearer {key}\" -d '{data}'"


def _short(path: Path) -> str:
    """The path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)
