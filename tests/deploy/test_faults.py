"""Whatever Pulumi prints, a person gets one line that says what happened."""

from __future__ import annotations

import pytest

from moorage.deploy.faults import Fault, distil, distinct, one_line, recognise
from moorage.errors import Exit

# Recorded from CLI 3.259 with SDK 3.272; paths shortened.
PROGRAM = """\
an unhandled error occurred: python inline source runtime error: 'nokey'
Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/pulumi/automation/_server.py", line 95, in run
    loop.run_until_complete(run_in_stack(self.program))
  File "/usr/lib/python3.11/asyncio/base_events.py", line 653, in run_until_complete
    return future.result()
           ^^^^^^^^^^^^^^^
  File "/venv/lib/python3.11/site-packages/pulumi/output.py", line 318, in run
    transformed: Input[U] = func(value)
                            ^^^^^^^^^^^
  File "/team/components/gateway.py", line 8, in <lambda>
    url.apply(lambda _: {}["nokey"])
                        ~~^^^^^^^^^
KeyError: 'nokey'
"""
INTERRUPT = """\
Traceback (most recent call last):
  File "/venv/bin/pulumi-language-python-exec", line 190, in <module>
    loop.run_until_complete(coro)
KeyboardInterrupt
"""
LOCKED = """\
error: the stack is currently locked by 1 lock(s). Either wait or run `pulumi cancel`.
  s3://b/.pulumi/locks/x.json: created by ann@host (pid 7) at 2026-11-23T21:44:14Z
"""


def test_a_programs_exception_names_its_own_line_not_pulumis() -> None:
    fault = distil(PROGRAM)
    assert fault is not None
    assert fault.line == "KeyError: 'nokey' (/team/components/gateway.py:8)"
    assert fault.traceback == PROGRAM.strip()


def test_an_error_of_ours_keeps_its_message() -> None:
    text = PROGRAM.replace(
        "KeyError: 'nokey'", "moorage.errors.MoorageError: no spec: specs/*.yaml"
    )
    fault = distil(text)
    assert fault is not None
    assert fault.line == "no spec: specs/*.yaml"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\x1b[31merror: \x1b[0mno room", "no room"),
        ("<{%fg 1%}>no room<{%reset%}>\n", "no room"),
        ("rpc error: code = Unknown desc = no room", "no room"),
        ("1 error occurred:\n\t* no room\n\n", "no room"),
        ("1 error occurred:\n\t* creating urn:pulumi:a::b::c::d: no room", "no room"),
    ],
)
def test_wrappings_are_taken_off(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize("text", ["update failed", "error: update failed\n", INTERRUPT, "  "])
def test_echoes_and_an_interrupts_noise_say_nothing(text: str) -> None:
    assert distil(text) is None


def test_each_fault_is_told_once() -> None:
    short, long = Fault(line="no room"), Fault(line="create failed: no room")
    other = Fault(line="port in use")
    assert distinct([short, long, other, other]) == [long, other]


@pytest.mark.parametrize(
    ("stderr", "says", "exit_code"),
    [
        (
            "error: could not create stack: incorrect passphrase",
            "passphrase does not open",
            Exit.NEEDS_PERSON,
        ),
        (LOCKED, "created by ann@host (pid 7)", Exit.NEEDS_PERSON),
        ("error: no stack named 'local' found", "moorage up --stack", Exit.USAGE),
        ("error: write /s/a.json: no space left on device", "is full", Exit.NEEDS_PERSON),
        ("error: validating stack config: bad value", "`secure:` value", Exit.USAGE),
        (
            "error: getting stack config: cipher: message authentication failed",
            "pulumi config set --secret",
            Exit.USAGE,
        ),
    ],
)
def test_known_failures_say_what_to_do(stderr: str, says: str, exit_code: Exit) -> None:
    known = recognise(stderr)
    assert known is not None
    kind, detail = known
    assert says in kind.says.format(stack="local", passphrase="here", detail=detail)
    assert kind.exit_code == exit_code
