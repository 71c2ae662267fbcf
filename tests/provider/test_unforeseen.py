"""What a handler did not foresee is one line to users, without class names and without secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from moorage.errors import MoorageError
from moorage.provider.handler import Context, Created, Field, Handler, Severity, Shape, State
from moorage.provider.package import Package
from moorage.provider.testing import client as testing
from tests.provider.client import Client, EngineEar, Refused

TOKEN = "moorage:index:Thing"
KEY = "-----BEGIN KEY-----\nhunter2hunter2\nhunter3hunter3\n-----END KEY-----\n"
GIVEN = {"name": "n", "key": KEY}

Start = Callable[[dict[str, Handler]], Client]


def breaks(*_words: Any) -> Any:
    known: dict[str, str] = {}
    return known[f"hunter2hunter2 of {len(known)}"]


def thing(**script: Any) -> Handler:
    shape = Shape(
        doc="A thing.",
        inputs={
            "name": Field(kind="string", doc="Name.", required=True),
            "key": Field(kind="string", doc="Key.", secret=True),
        },
        outputs={"url": Field(kind="string", doc="URL.", required=True)},
    )
    usual: dict[str, Any] = {"create": breaks, "read": breaks, "update": breaks, "delete": breaks}
    return Handler(shape=shape, **{**usual, **script})


JUDGED: dict[str, Callable[[Client], Any]] = {
    "check": lambda client: client.check(GIVEN),
    "diff": lambda client: client.diff(GIVEN, {**GIVEN, "name": "m"}),
    "preview": lambda client: client.create(GIVEN, preview=True),
    "notice": lambda client: client.create(GIVEN, preview=True),
}


@pytest.mark.parametrize("where", JUDGED)
def test_where_it_judges_as_where_it_works(where: str, in_process: Start, ear: EngineEar) -> None:
    client = in_process({TOKEN: thing(**{where: breaks})})
    with pytest.raises(Refused, match=r"^unexpected fault: '\[secret\] of 0'$"):
        JUDGED[where](client)
    [traced] = [line for line in ear.lines if "Traceback" in line.message]
    assert traced.severity == Severity.DEBUG
    assert "hunter2" not in traced.message


def test_what_it_refuses_while_it_judges_keeps_its_words(in_process: Start) -> None:
    def refuse(_inputs: State) -> Any:
        message = "the harbour does not answer; start it"
        raise MoorageError(message)

    with pytest.raises(Refused, match=r"^the harbour does not answer; start it$"):
        in_process({TOKEN: thing(check=refuse)}).check(GIVEN)


def test_an_answer_that_is_none_is_told_as_well(in_process: Start) -> None:
    client = in_process({TOKEN: thing(update=lambda *_: None)})
    with pytest.raises(Refused, match=r"^unexpected fault: "):
        client.update("1", GIVEN, GIVEN)


def test_a_secret_of_several_lines_stays_secret_on_one(in_process: Start) -> None:
    def make(inputs: State, _context: Context) -> Created:
        message = f"the server does not take {inputs['key']} for a key"
        raise MoorageError(message)

    with pytest.raises(Refused, match=r"^the server does not take \[secret\]; for a key$"):
        in_process({TOKEN: thing(create=make)}).create(GIVEN)


def test_a_secret_setting_of_the_provider_is_shown_by_no_message(ear: EngineEar) -> None:
    def make(_inputs: State, context: Context) -> Created:
        context.warn(f"knocking with {context.config['token']}")
        message = f"{context.config['token']} opens nothing"
        raise MoorageError(message)

    package = Package(
        name="moorage",
        version="1.0.0",
        description="Tests.",
        handlers={TOKEN: thing(create=make)},
        config={"token": Field(kind="string", doc="Opens it.", secret=True)},
    )
    with testing.served(ear) as start:
        client = start(package)
        client.token = TOKEN
        client.configure({"token": "hunter2hunter2"})
        with pytest.raises(Refused, match=r"^\[secret\] opens nothing$"):
            client.create(GIVEN)
    assert ear.texts() == ["knocking with [secret]"]
