"""The YAML parser's complaints in plain words."""

from __future__ import annotations

import yaml

from moorage.spec.problems import Problem

# The parser's own limit: it reads ahead, so in brackets it may meet it before we meet ours.
_TOO_DEEP = "exceeded maximum nesting depth"
_WORDS = {  # a part of what the parser says -> what we say, what to do
    "mapping values are not allowed": (
        "a second ': ' in one line",
        "put the text in quotes, or check the indentation of this line and the one above",
    ),
    "could not find expected ':'": ("this is neither 'key: value' nor a list entry", ""),
    "did not find expected key": (
        "the indentation does not fit, or a quote or bracket above is open",
        "line it up with its neighbours, two spaces a level",
    ),
    "did not find expected '-' indicator": (
        "a list entry must begin with '- '",
        "line it up with the entries above",
    ),
    "did not find expected ',' or": ("a list or mapping in brackets is not closed", ""),
    "did not find expected node content": (
        "a value is missing here",
        "close the bracket above, or take a stray one out",
    ),
    "unexpected end of stream": ("the file ends inside a quoted text", "close the quote"),
    "cannot start any token": (
        "this character cannot begin a value",
        "put the text in quotes",
    ),
    "control characters are not allowed": ("a control character stands in the text", ""),
    "surrogates not allowed": ("a character that UTF-8 cannot hold", ""),
    "special characters are not allowed": ("a control character stands in the text", ""),
    _TOO_DEEP: ("values lie too many levels deep", "nothing of the language lies so deep"),
}

_UNCLOSED = ("did not find expected ',' or", "unexpected end of stream")  # show where it opened


def explain(error: Exception, text: str, file: str) -> Problem:
    """The problem that a YAML error is."""
    line, column = _where(error, text)
    parser_says = str(getattr(error, "problem", None) or error)
    if _tab_before(text, line, column):
        says, hint = "a tab is used for indentation", "YAML wants spaces"
    else:
        says, hint = _translate(parser_says)
    rule = "yaml-too-deep" if _TOO_DEEP in parser_says else "yaml-syntax"
    return Problem(file=file, line=line, column=column, rule=rule, says=says, hint=hint)


def _translate(parser_says: str) -> tuple[str, str]:
    for part, words in _WORDS.items():
        if part in parser_says:
            return words
    return f"this is not YAML: {parser_says.splitlines()[0]}", ""


def _where(error: Exception, text: str) -> tuple[int, int]:
    opened = any(part in str(getattr(error, "problem", "")) for part in _UNCLOSED)
    order = ("context_mark", "problem_mark") if opened else ("problem_mark", "context_mark")
    mark = getattr(error, order[0], None) or getattr(error, order[1], None)
    if mark is not None:
        return mark.line + 1, mark.column + 1
    position = getattr(error, "position", None)
    if not isinstance(error, yaml.YAMLError) or not isinstance(position, int):
        return 1, 1
    before = text[: max(position, 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _tab_before(text: str, line: int, column: int) -> bool:
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    indentation = here[: len(here) - len(here.lstrip(" \t"))]
    return "\t" in indentation and column <= len(indentation) + 1
