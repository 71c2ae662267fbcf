"""Advice: where Pulumi's behaviour surprises, what it means here and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from moorage.deploy.events import Event, Started
from moorage.deploy.steps import Step, Steps
from moorage.deploy.urns import label, word


@dataclass(frozen=True, kw_only=True, slots=True)
class Surprise:
    """Something that Pulumi says, and what a person should read instead.

    `says` may name the groups of `sign`; those that are URNs read as names, `{urn_bare}` as what
    a command takes.
    """

    sign: re.Pattern[str]
    says: str


_URN: Final = r"urn:pulumi:[^'\"]+"

SURPRISES: Final = (
    Surprise(
        sign=re.compile(rf'resource "(?P<urn>{_URN})" cannot be deleted because it is protected'),
        says="{urn} is protected, so it is not deleted; take `protect` out of the program and run "
        "`moorage up`, or run `moorage state unprotect {urn_bare}`",
    ),
    Surprise(
        sign=re.compile(
            rf'unable to replace resource "(?P<urn>{_URN})" as part of replacing "(?P<by>{_URN})"'
        ),
        says="{by} cannot be replaced: {urn} would be replaced with it and is protected; take "
        "`protect` out of the program, or run `moorage state unprotect {urn_bare}`",
    ),
    Surprise(
        sign=re.compile(rf'unable to replace resource "(?P<urn>{_URN})" as it is currently marked'),
        says="{urn} is protected, and a replacement would delete it; take `protect` out of the "
        "program, or run `moorage state unprotect {urn_bare}`",
    ),
    Surprise(
        sign=re.compile(rf"Resource '(?P<urn>{_URN})' depends on '(?P<on>{_URN})' which was"),
        says="{urn} needs {on}, which is not deployed yet; name it too: --target {on_bare}",
    ),
    Surprise(
        sign=re.compile(rf"Resource '(?P<urn>{_URN})' will be destroyed but was not specified"),
        says="{urn} depends on a target and would be deleted with it; name it too "
        "(--target {urn_bare}), or all that depend: --target-dependents",
    ),
    Surprise(
        sign=re.compile(rf"Target '(?P<urn>{_URN})' could not be found in the stack"),
        says="there is no {urn}, neither in the state nor in the program",
    ),
    Surprise(
        sign=re.compile(r"no resource plugin 'pulumi-resource-docker' .*version v(?P<version>\S+)"),
        says="Pulumi's docker plugin, which containers need, is not installed: run `pulumi plugin "
        "install resource docker {version}`; where Pulumi's site is not reached, bring "
        "pulumi-resource-docker from a machine that reaches it to a folder on PATH",
    ),
    Surprise(
        sign=re.compile(
            r"Error pinging Docker server, please make sure that (?P<host>\S+) is reachable"
            r".*? endpoint\. Error: (?P<why>.+)",
            re.DOTALL,
        ),
        says="Docker at {host} does not answer ({why}): bring it back; where it is gone for good, "
        "take it out of the specs, run `moorage up`, then `moorage state remove --host {host}`",
    ),
    Surprise(
        sign=re.compile(
            r"unable to pull image (?P<image>\S+): .*"
            r"(?:pull access denied|unauthorized|authentication required|no basic auth)",
            re.DOTALL,
        ),
        says="{image} is not there, or cannot be had with the login that Docker has here: correct "
        "its name, or run `docker login` for its registry on this machine",
    ),
    Surprise(
        sign=re.compile(
            r"could not open config file from filePath: (?P<file>\S+?)\.? Error: (?P<why>.+)",
            re.DOTALL,
        ),
        says="the last `up` pulled images with the logins of {file}, which is not to be had here "
        "({why}): run `docker login` for their registries, or `moorage up` to go on without",
    ),
    Surprise(
        sign=re.compile(
            r"could not get auth config \(the credentialhelper did not work or was not found\): "
            r"(?P<why>.+)",
            re.DOTALL,
        ),
        says="Docker's credential helper gives no login for a registry ({why}): unlock or install "
        "it, or run `docker logout` for that registry, and run it again",
    ),
    Surprise(
        # The plugin reads what Docker says of a pull, and tells nothing of it.
        sign=re.compile(r"unable to find or pull image (?P<image>\S+)"),
        says="the pull of {image} broke off, as it does where the disk is full: "
        "`docker pull {image}` on its host tells why",
    ),
    Surprise(
        sign=re.compile(r"no resource plugin 'pulumi-resource-(?P<plugin>[\w-]+)'"),
        says="the provider {plugin} is not installed: name its folder in Pulumi.yaml under "
        "plugins.providers, or run `pulumi plugin install resource {plugin} VERSION`",
    ),
    Surprise(
        sign=re.compile(r"resource '(?P<id>[^']+)' does not exist"),
        says="there is nothing to import: its provider knows no {id}",
    ),
    Surprise(
        sign=re.compile(r"unknown parent '(?P<urn>[^']+)' for resource"),
        says="the parent {urn} is not in the state; import it too (a component: "
        '{{"component": true}} in a --file), or `moorage up` first',
    ),
    Surprise(
        sign=re.compile(rf"Duplicate resource URN '(?P<urn>{_URN})'"),
        says="the program declares {urn} twice; give one of them another name",
    ),
)

# A step that failed, and what that leaves behind.
AFTERMATH: Final = {
    "delete-replaced": "the new one is in place, the old one stays in the state marked for "
    "deletion; the next `moorage up` or `destroy` tries to delete it again",
    "delete": "it stays in the state; the next run tries again",
}
UNFINISHED: Final = "it exists and is in the state; the next `moorage up` goes on with it"
OLD_IS_GONE: Final = "the old one is gone already; the next `moorage up` creates it"


def meaning(line: str) -> str:
    """What a line of Pulumi's means; the line itself where it speaks for itself."""
    for surprise in SURPRISES:
        found = surprise.sign.search(line)
        if found:
            groups = found.groupdict()
            bare = {f"{key}_bare": word(value) for key, value in groups.items()}
            return surprise.says.format(**{k: label(v) for k, v in groups.items()}, **bare)
    return line


def aftermath(step: Step, steps: Steps) -> str:
    """What a failed step of a run leaves behind; empty where nothing needs saying."""
    if step.unfinished:
        return UNFINISHED
    if step.kind == "create-replacement" and (step.urn, "delete-replaced") in steps.found:
        return OLD_IS_GONE
    return AFTERMATH.get(step.kind, "")


def foreword(event: Event, *, replaced: bool = False) -> str:
    """What an earlier run left of the resource that a step begins on; empty for the usual.

    What this run `replaced` itself, it deletes as a matter of course.
    """
    if not isinstance(event, Started) or event.detail is None or event.detail.old is None:
        return ""
    old = event.detail.old
    # What this run deletes before it creates it anew is not marked yet.
    if event.step == "delete-replaced" and old.delete and not replaced:
        return (
            f"{label(event.urn)}: an earlier run replaced it and could not delete the old one "
            f"({old.id}), which is still to be deleted"
        )
    reasons = _reasons(old.init_errors)
    if reasons and event.step != "refresh":
        return f"{label(event.urn)}: an earlier run left it unfinished ({reasons}); going on"
    return ""


def _reasons(errors: Sequence[str] | None) -> str:
    return "; ".join(" ".join(str(error).split()) for error in errors or ())[:200]
