"""How vLLM's flags get from the argument parsers of its versions into the catalogue."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

TOOL = Path(__file__).parents[2] / "tools" / "vllm_flags.py"

ARGUMENTS = """
class EngineArgs:
    @staticmethod
    def add_cli_args(parser):
        group = parser.add_argument_group(title="Model")
        group.add_argument("--max-model-len", "-mml", type=int)
        group.add_argument("model_tag", nargs="?")
"""
FRONTEND = """
class FrontendArgs:
    host: str | None = None
    disable_fastapi_docs: bool = False

    def words(self) -> None: ...
"""


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_vllm_flags", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vllm_flags = _tool()


def test_flags_are_read_off_parsers_and_off_the_fields_of_settings(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "arg_utils.py").write_text(ARGUMENTS)
    (tmp_path / "entrypoints" / "common").mkdir(parents=True)
    (tmp_path / "entrypoints" / "common" / "cli_args.py").write_text(FRONTEND)
    assert vllm_flags.read(tmp_path) == {"max-model-len", "host", "disable-fastapi-docs"}


def test_a_flag_that_went_away_has_a_last_version() -> None:
    known = {"0.1.0": ["old", "always"], "0.2.0": ["always"], "0.3.0": ["always", "new"]}
    assert vllm_flags.spans(known) == {"old": "0.1.0..0.1.0", "always": "0.1.0", "new": "0.3.0"}


def test_no_row_is_torn() -> None:
    rows = [f"a-flag-of-many-words-{number}: 0.10.0" for number in range(20)]
    lines = vllm_flags.laid_out(rows).split("\n")
    assert len(lines) > 1
    assert ", ".join(line.strip().removesuffix(",") for line in lines) == ", ".join(rows)
    assert all(line.startswith("      a-flag") for line in lines)
