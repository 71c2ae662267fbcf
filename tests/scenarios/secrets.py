"""Secrets: in, through, and never in plain; every scenario looks for them in all files too."""

from __future__ import annotations

import pulumi

from tests.scenarios.programs import secret, thing
from tests.scenarios.story import fault, preview, scenario, up
from tests.scripted.resources import Thing

PLAIN = "hunter2hunter2"


def passed_on() -> None:
    """A secret that a thing gives goes into another one, and out of the stack."""
    first = Thing("a")
    told = pulumi.Output.concat("opened by ", first.token)
    Thing("b", note=told)
    pulumi.export("token", first.token)
    pulumi.export("note", told)
    pulumi.export("url", first.url)


def kept_by_another() -> None:
    """What a thing gives is kept by another one, which declares it as a secret."""
    first = Thing("a")
    Thing("b", password=first.token, note=pulumi.Output.secret(first.url), tags={"u": first.url})


def noted() -> None:
    """A secret where none is expected."""
    Thing("a", note=secret())


def wrongly_labelled() -> None:
    """A secret of the wrong kind, deep down."""
    Thing("a", tags={"key": [secret()]})


def wrongly_sized() -> None:
    """A secret of the wrong kind."""
    Thing("a", size=secret())


def in_a_map() -> None:
    """A secret among plain labels."""
    Thing("a", tags={"team": "blue", "key": secret()})


def hidden_by_the_program() -> None:
    """An output that only this program holds for a secret."""
    one = Thing("a", pulumi.ResourceOptions(additional_secret_outputs=["url"]))
    pulumi.export("url", one.url)


SECRETS = (
    scenario(
        "a secret that a failure leaves unknown is no failure of its own",
        up(
            kept_by_another,
            faults=(fault("POST a-z1", "no room"),),
            calls=("create a-z1",),
            code=1,
            state=(),
            says=("Thing a: no room", "left out, as they depend on what failed: Thing b"),
            silent=("malformed", "required"),
        ),
        up(
            kept_by_another,
            calls=("create a-z1", "create b-z1"),
            state=("a: a-z1", "b: b-z1"),
        ),
        sample=True,
    ),
    scenario(
        "what the shape calls a secret is one, whether the program says so or not",
        up(
            thing("a", password=PLAIN),
            calls=("create a-z1",),
            state=("a: a-z1",),
            holds={"a.inputs.password": "[secret]", "a.outputs.password": "[secret]"},
        ),
        up(
            thing("a", password="hunter22"),
            calls=("update a-z1",),
            says=("~ password: [secret]",),
        ),
    ),
    scenario(
        "what the program calls a secret stays one in the outputs",
        up(
            noted,
            calls=("create a-z1",),
            state=("a: a-z1",),
            holds={"a.inputs.note": "[secret]", "a.outputs.note": "[secret]"},
        ),
        up(
            thing("a", note="open"),
            calls=("update a-z1",),
            holds={"a.inputs.note": "open", "a.outputs.note": "open"},
        ),
    ),
    scenario(
        "a secret output goes through a dependent and out of the stack as a secret",
        up(
            passed_on,
            calls=("create a-z1", "create b-z1"),
            state=("a: a-z1", "b: b-z1"),
            holds={
                "b.inputs.note": "[secret]",
                "b.outputs.note": "[secret]",
                "stack.outputs.token": "[secret]",
                "stack.outputs.note": "[secret]",
                "stack.outputs.url": "https://a-z1.example",
            },
        ),
        up(passed_on, says=("nothing changed",)),
    ),
    scenario(
        "a secret inside a map is sealed, and its neighbours stay readable",
        up(
            in_a_map,
            calls=("create a-z1",),
            state=("a: a-z1",),
            holds={
                "a.inputs.tags.team": "blue",
                "a.inputs.tags.key": "[secret]",
                "a.outputs.tags.team": "blue",
                "a.outputs.tags.key": "[secret]",
            },
        ),
        up(in_a_map, says=("nothing changed",)),
    ),
    scenario(
        "additional_secret_outputs seals an output of this program alone",
        up(
            hidden_by_the_program,
            calls=("create a-z1",),
            state=("a: a-z1",),
            holds={"a.outputs.url": "[secret]", "stack.outputs.url": "[secret]"},
        ),
    ),
    scenario(
        "a fault that quotes a secret does not show it",
        up(
            thing("a", password=PLAIN),
            faults=(fault("POST a-z1", f"401: {PLAIN} opens nothing here"),),
            calls=("create a-z1",),
            code=1,
            state=(),
            says=("Thing a: 401: [secret] opens nothing here",),
        ),
        up(
            thing("a", password=PLAIN),
            faults=(fault("AWAIT a-z1", f"{PLAIN} was not taken"),),
            calls=("create a-z1",),
            code=1,
            state=("a: a-z1 (unfinished)",),
            says=("Thing a: [secret] was not taken",),
        ),
        # The reason of the state comes back in words of ours.
        up(thing("a", password=PLAIN), calls=("update a-z1",), state=("a: a-z1",)),
    ),
    scenario(
        "a refused secret is not shown",
        preview(
            thing("a", password=["hunter2hunter2"]),
            code=1,
            state=(),
            says=("password: must be a string",),
        ),
        preview(wrongly_labelled, code=1, says=("tags.key: must be a string",)),
        preview(wrongly_sized, code=1, says=("size: must be an integer",)),
    ),
)
