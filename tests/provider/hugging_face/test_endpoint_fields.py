"""Inputs, the API's JSON and back: what is sent, what is read, what differs, what is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from moorage.provider.check import check
from moorage.provider.handler import Change
from moorage.provider.hugging_face import things
from moorage.provider.hugging_face.endpoints import (
    endpoint_body,
    endpoint_drift,
    endpoint_images,
    endpoint_inputs,
    endpoint_owner,
    endpoint_shape,
    inference_endpoint,
)
from tests.provider.hugging_face.endpoints import INPUTS, OWNER

FULL: dict[str, Any] = {
    **INPUTS,
    "task": "feature-extraction",
    "framework": "pytorch",
    "engine": "custom",
    "image": "registry.example/acme/engine:1.2.3",
    "engineOptions": {"port": 8080, "healthRoute": "/ready"},
    "command": ["/bin/serve"],
    "args": ["--fast"],
    "env": {"LOG": "info"},
    "secrets": {"KEY": "sk-of-the-container"},
    "registry": {"username": "acme", "password": "sk-of-the-registry"},
    "minReplica": 0,
    "maxReplica": 4,
    "scaleToZeroMinutes": 30,
    "scalingMetric": "pendingRequests",
    "scalingThreshold": 2.5,
    "domain": "chat.example",
    "path": "/v2",
    "cacheHttpResponses": True,
    "privateLink": {"account": "123456789012", "region": "eu-west-1", "shared": True},
    "customRouter": {"tag": "1.0", "env": {"A": "b"}, "port": 3000},
    "notifications": {"email": ["ops@example.com"]},
    "experimentalFeatures": {"kvRouter": {"tag": "x"}},
    "network": {"kind": "odd"},
    "tags": ["team-shop", "tier-gold"],
}


def checked(inputs: dict[str, Any]) -> dict[str, Any]:
    filled, failures = check(endpoint_shape.SHAPE.inputs, inputs)
    assert not failures, failures
    return filled


def told(inputs: dict[str, Any], **status: Any) -> dict[str, Any]:
    """What the API would tell of an endpoint of these inputs, redacted as it does."""
    record = deepcopy(endpoint_body.created(inputs, OWNER))
    record["status"] = {"state": "running", "readyReplica": 1, **status}
    record["model"]["secrets"] = dict.fromkeys(record["model"]["secrets"], "[REDACTED]")
    for image in record["model"]["image"].values():
        if "credentials" in image:
            image["credentials"] = {"username": "acme", "password": "[REDACTED]"}
    return record


def filled_in(record: dict[str, Any]) -> dict[str, Any]:
    """What the service adds by itself."""
    [image] = record["model"]["image"].values()
    image |= {"port": image.get("port", 80), "healthRoute": image.get("healthRoute", "/health")}
    image["maxNumSeqs"] = None
    record["model"] = {"task": "text-generation", "env": {}, **record["model"]}
    record["model"]["revision"] = record["model"]["revision"] or "f" * 40
    record["compute"]["id"] = "aws-eu-west-1-nvidia-l4-x1"
    scaling = record["compute"]["scaling"]
    scaling["scaleToZeroTimeout"] = scaling["scaleToZeroTimeout"] or 15
    return {**record, "healthRoute": "/health", "accountId": None, "tags": record["tags"][::-1]}


# --- sent


def test_the_body_of_a_full_endpoint_says_everything() -> None:
    body = endpoint_body.created(FULL, OWNER)
    assert body == {
        "name": "chat",
        "type": "private",
        "provider": {"vendor": "aws", "region": "eu-west-1"},
        "privateService": {"accountId": "123456789012", "region": "eu-west-1", "shared": True},
        "compute": {
            "accelerator": "gpu",
            "instanceType": "nvidia-l4",
            "instanceSize": "x1",
            "scaling": {
                "minReplica": 0,
                "maxReplica": 4,
                "scaleToZeroTimeout": 30,
                "measure": {"pendingRequests": 2.5},
            },
        },
        "model": {
            "repository": "acme/chat",
            "framework": "pytorch",
            "revision": "0" * 40,
            "task": "feature-extraction",
            "image": {
                "custom": {
                    "url": "registry.example/acme/engine:1.2.3",
                    "port": 8080,
                    "healthRoute": "/ready",
                    "credentials": {"username": "acme", "password": "sk-of-the-registry"},
                }
            },
            "command": ["/bin/serve"],
            "args": ["--fast"],
            "env": {"LOG": "info"},
            "secrets": {"KEY": "sk-of-the-container"},
        },
        "route": {"domain": "chat.example", "path": "/v2"},
        "cacheHttpResponses": True,
        "notifications": {"email": ["ops@example.com"]},
        "experimentalFeatures": {"kvRouter": {"tag": "x"}},
        "network": {"kind": "odd"},
        "customRouter": {"tag": "1.0", "env": {"A": "b"}, "port": 3000},
        "tags": ["team-shop", "tier-gold", *endpoint_owner.marks(OWNER)],
    }


def test_a_task_that_is_open_is_left_out_since_the_api_refuses_null() -> None:
    assert endpoint_body.created(checked(INPUTS), OWNER)["model"]["task"] == "text-generation"
    without = {name: one for name, one in checked(INPUTS).items() if name != "task"}
    assert "task" not in endpoint_body.created(without, OWNER)["model"]


def test_a_change_says_everything_again_and_empties_what_was_dropped() -> None:
    found = told(checked(FULL))
    body = endpoint_body.changed(checked(INPUTS), OWNER, found, checked(FULL))
    assert body["model"] | {"image": None} == {
        "repository": "acme/chat",
        "framework": "custom",
        "revision": "0" * 40,
        "task": "text-generation",
        "image": None,
        "command": [],
        "args": [],
        "env": {},
        "secrets": {},
    }
    assert body["route"] is None
    assert body["customRouter"] is None
    assert body["compute"]["scaling"]["measure"] is None
    assert body["cacheHttpResponses"] is False
    assert "type" not in body
    assert "name" not in body


def test_a_change_keeps_the_budget_guards_mark_and_closes_what_was_opened() -> None:
    found = told(checked(INPUTS)) | {"type": "public"}
    found["tags"].append(endpoint_owner.GUARD)
    body = endpoint_body.changed(checked(INPUTS), OWNER, found, checked(INPUTS))
    assert endpoint_owner.GUARD in body["tags"]
    assert body["type"] == "private"


# --- read


@pytest.mark.parametrize("engine", endpoint_images.ENGINES)
def test_what_was_sent_is_read_again_for_every_engine(engine: str) -> None:
    known = endpoint_images.ENGINES[engine]
    samples = {int: 7, str: "seven", bool: True}
    given = {**INPUTS, "engine": engine}
    if not known.has_image:
        del given["image"]
    if known.options:
        given["engineOptions"] = {name: samples[kind] for name, kind in known.options.items()}
    inputs = checked(given)
    assert endpoint_shape.check(inputs) == []
    record = told(inputs)
    assert next(iter(record["model"]["image"])) == known.key
    assert checked(endpoint_inputs.imported(record, "acme", OWNER)) == inputs | {
        "readyTimeoutSeconds": 1800
    }


def test_a_full_endpoint_is_read_again_but_for_its_secrets() -> None:
    inputs = checked(FULL)
    found = checked(endpoint_inputs.imported(told(inputs), "acme", OWNER))
    untold = {"secrets", "registry", "readyTimeoutSeconds"}
    assert {name: found.get(name) for name in inputs if name not in untold} == {
        name: one for name, one in inputs.items() if name not in untold
    }
    assert not {"secrets", "registry"} & found.keys()


def test_what_the_service_fills_in_is_not_read_as_declared() -> None:
    without = {name: one for name, one in INPUTS.items() if name not in ("task", "revision")}
    inputs = checked(without)
    record = filled_in(told(inputs))
    found = checked(endpoint_inputs.imported(record, "acme", OWNER))
    extra = {name: one for name, one in found.items() if inputs.get(name) != one}
    assert extra == {
        "task": "text-generation",
        "revision": "f" * 40,
        "readyTimeoutSeconds": 1800,
    }
    assert endpoint_drift.differences(record, "acme", inputs) == []


def test_an_engine_that_we_do_not_know_keeps_its_name() -> None:
    record = told(checked(INPUTS))
    record["model"]["image"] = {"newEngine": {"url": "x"}}
    assert endpoint_inputs.declared(record, "acme")["engine"] == "newEngine"


# --- what differs

_LINK = ["privateLink.region"]


@pytest.mark.parametrize(
    ("path", "value", "differs"),
    [
        ("model.repository", "acme/other", ["repository"]),
        ("model.revision", "1" * 40, ["revision"]),
        ("model.env", {"LOG": "debug", "NEW": "1"}, ["env.LOG", "env.NEW"]),
        ("model.env", None, ["env.LOG"]),
        ("model.args", None, ["args"]),
        ("model.args", ["--fast", "--loose"], ["args"]),
        ("model.secrets", {"OTHER": "[REDACTED]"}, ["secrets.KEY", "secrets.OTHER"]),
        ("model.image", {"custom": {"url": "x", "port": 8080, "healthRoute": "/ready"}}, ["image"]),
        (
            "model.image",
            {"custom": {"url": "registry.example/acme/engine:1.2.3", "port": 1}},
            ["engineOptions.healthRoute", "engineOptions.port"],
        ),
        ("compute.instanceSize", "x4", ["instanceSize"]),
        (
            "compute.scaling",
            {"minReplica": 1, "maxReplica": 8},
            [
                "minReplica",
                "maxReplica",
                "scaleToZeroMinutes",
                "scalingMetric",
                "scalingThreshold",
            ],
        ),
        ("tags", ["tier-gold", "team-shop", "moorage"], []),
        ("tags", ["tier-gold"], ["tags"]),
        ("type", "public", ["access"]),
        ("route", None, ["domain", "path"]),
        ("privateService", {"accountId": "123456789012", "region": "x", "shared": True}, _LINK),
        ("customRouter", None, ["customRouter"]),
        ("customRouter", {"tag": "1.0", "env": {"A": "b"}, "port": 3000, "more": 1}, []),
        ("compute.scaling.measure", {"hardwareUsage": 80}, ["scalingMetric", "scalingThreshold"]),
        ("customRouter", {"tag": "2.0", "env": {"A": "b"}, "port": 3000}, ["customRouter.tag"]),
        ("experimentalFeatures", {"kvRouter": {"tag": "x"}, "more": True}, []),
        ("status.readyReplica", 3, []),
        ("status.targetReplica", 4, []),
        ("status.state", "scaledToZero", []),
        ("status.state", "paused", ["paused"]),
    ],
)
def test_what_somebody_changed_is_named(path: str, value: Any, differs: list[str]) -> None:
    inputs = checked(FULL)
    record = told(inputs)
    *above, last = path.split(".")
    at = record
    for step in above:
        at = at[step]
    at[last] = value
    found = endpoint_drift.differences(record, "acme", inputs)
    assert sorted(found) == sorted(differs)


def test_what_the_service_fills_in_beside_what_is_declared_is_no_difference() -> None:
    inputs = checked({**INPUTS, "privateLink": {"account": "1", "region": "eu-west-1"}})
    record = told(inputs)
    record["privateService"]["shared"] = False
    record["compute"]["scaling"]["measure"] = {"hardwareUsage": 80}
    record["experimentalFeatures"] = {"kvRouter": None}
    assert endpoint_drift.differences(record, "acme", inputs) == []
    del inputs["privateLink"]
    assert endpoint_drift.differences(record, "acme", inputs) == ["privateLink"]


def test_a_sentence_tells_values_but_none_of_the_environment() -> None:
    inputs = checked({**INPUTS, "env": {"LOG": "info"}})
    record = told(inputs)
    record["model"]["env"]["LOG"] = "hidden"
    record["compute"]["instanceSize"] = "x4"
    record["status"] |= {"state": "updateFailed", "message": "no image"}
    assert endpoint_drift.sentence(record, "acme", inputs, "") == (
        "it updateFailed: no image; env.LOG differs; instanceSize is x4, declared x1"
    )
    assert endpoint_drift.sentence(told(inputs), "acme", inputs, "") is None
    theirs = endpoint_drift.sentence(told(inputs), "acme", inputs, "it is another's")
    assert theirs == "it is another's"


# --- what is refused before anything is sent


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({"name": "a" * 33}, "name", "has 33 characters, and may have 32"),
        ({"name": "Chat"}, "name", "must be lowercase letters, digits and `-`"),
        ({"name": "chat-"}, "name", "must be lowercase letters, digits and `-`"),
        ({"access": "protected"}, "access", "must be one of public, authenticated, private"),
        ({"engine": "vLLM"}, "engine", "must be one of vllm, "),
        ({"image": None}, "image", "vllm needs an image"),
        ({"engine": "toolkit"}, "image", "toolkit has an image of its own"),
        (
            {"engineOptions": {"tensor_parallel_size": 2}},
            "engineOptions.tensor_parallel_size",
            "did you mean tensorParallelSize?",
        ),
        (
            {"engineOptions": {"maxnumseqs": 2}},
            "engineOptions.maxnumseqs",
            "did you mean maxNumSeqs?",
        ),
        ({"engineOptions": {"quux": 1}}, "engineOptions.quux", "known are port, healthRoute"),
        ({"engineOptions": {"port": "80"}}, "engineOptions.port", "must be a whole number"),
        ({"engineOptions": {"port": True}}, "engineOptions.port", "must be a whole number"),
        ({"engine": "llama.cpp"}, "engineOptions.ctxSize", "llama.cpp needs it"),
        (
            {"engine": "llama.cpp", "env": {"MODEL": "x"}},
            "env",
            "MODEL is set by llama.cpp's container",
        ),
        (
            {"registry": {"username": "u", "password": "p"}},
            "registry",
            "only the custom engine pulls from a private registry",
        ),
        ({"minReplica": 3}, "maxReplica", "must be at least minReplica, which is 3"),
        ({"scaleToZeroMinutes": 5}, "scaleToZeroMinutes", "needs minReplica to be 0"),
        ({"scalingMetric": "hardwareUsage"}, "scalingMetric", "give it together"),
        ({"env": {"A": "1"}, "secrets": {"A": "2"}}, "env", "A is among the secrets, too"),
        ({"tags": ["moorage-owner-1"]}, "tags", "say whose it is"),
        ({"tags": ["a", "a"]}, "tags", "names a tag twice"),
        ({"path": "v2"}, "path", "must begin with /"),
        ({"namespace": "acme/team"}, "namespace", "must be the name of one user or organisation"),
    ],
)
def test_what_would_be_overlooked_or_refused_is_refused_at_once(
    changes: dict[str, Any], name: str, reason: str
) -> None:
    given = {key: one for key, one in {**INPUTS, **changes}.items() if one is not None}
    filled, failures = check(endpoint_shape.SHAPE.inputs, given)
    failures = failures or endpoint_shape.check(filled)
    assert any(one.name == name and reason in one.reason for one in failures), failures


# --- whose it is


@pytest.mark.parametrize("owner", ["shop/prod/chat", "a_b/c-d/E", "x" * 80, "a.b/c/d"])
def test_an_owner_is_known_by_its_mark(owner: str) -> None:
    record = {"tags": endpoint_owner.marks(owner)}
    assert endpoint_owner.is_of(record, ["somebody", owner, None])
    assert not endpoint_owner.is_of(record, ["shop/prod/other", None])
    assert endpoint_owner.owner(record) in (owner, None), "a guess is no owner"


def test_the_mark_of_two_owners_is_nobodys() -> None:
    record = {"tags": [*endpoint_owner.marks("a/b/c"), *endpoint_owner.marks("d/e/f")]}
    assert not endpoint_owner.is_of(record, ["a/b/c"])


@pytest.mark.parametrize("tags", [None, "moorage", [1, None], []])
def test_without_tags_it_is_nobodys(tags: Any) -> None:
    assert not endpoint_owner.is_marked({"tags": tags})
    assert endpoint_owner.described({"tags": tags}) == "was made by hand"


def test_a_urn_tells_an_owner() -> None:
    urn = "urn:pulumi:prod::shop::moorage:index:InferenceEndpoint::chat"
    assert things.owner_by(urn) == OWNER


# --- what is a change


@pytest.mark.parametrize(
    ("change", "old", "new", "counts"),
    [
        (("owner", "add"), {}, {"owner": OWNER}, False),
        (("owner", "update"), {"owner": "a/b/c"}, {"owner": OWNER}, True),
        (("probe", "add"), {}, {"probe": {"path": "/x"}}, False),
        (("readyTimeoutSeconds", "update"), {}, {}, False),
        (("task", "delete"), {"task": "x"}, {}, False),
        (("task", "update"), {"task": "x"}, {"task": "y"}, True),
        (("revision", "delete"), {"revision": "x"}, {}, True),
        (("engineOptions", "add"), {}, {"engineOptions": {"port": 80}}, False),
        (("engineOptions", "add"), {}, {"engineOptions": {"port": 81}}, True),
        (("secrets.A", "add"), {}, {}, True),
    ],
)
def test_what_an_imported_endpoint_could_not_tell_is_no_change(
    change: tuple[str, Any], old: dict[str, Any], new: dict[str, Any], counts: bool
) -> None:
    path, kind = change
    one = Change(path=path, kind=kind, replaces=False)
    assert inference_endpoint.diff([one], old, new) == ([one] if counts else [])


@pytest.mark.parametrize(
    "said",
    [
        {"framework": "custom"},
        {"engine": "toolkit", "framework": "pytorch"},
        {"notifications": {}},
        {"experimentalFeatures": {}},
        {"network": {}},
    ],
)
def test_what_goes_without_saying_may_be_said(said: dict[str, Any]) -> None:
    inputs = checked({**INPUTS, **said})
    assert not endpoint_drift.differences(told(inputs), "acme", inputs)
