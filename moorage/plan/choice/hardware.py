"""Which of the machines that one could have is taken: the cheapest that serves the model; pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from moorage.plan.choice import engines, regions
from moorage.plan.choice.kinds import KINDS
from moorage.plan.fit.obstacles import obstacles
from moorage.plan.fit.prove import fit
from moorage.plan.types import Passed
from moorage.plan.world import Candidate, Choice, World

_SHOWN = 12  # of the choices passed over; the rest is only dearer still


def choose(world: World, choice: Choice, found: Sequence[Candidate]) -> Choice:
    """Judge the candidates, cheapest first; the first sound one is taken.

    An entry that names its GPU gets one of these, sound or not, so that the rules can say what it
    lacks. Where the choice is open and none is sound, none is taken.
    """
    given = choice.open or len(found) > 1  # something is left to us
    passed: list[Passed] = []
    judged: list[Candidate] = []
    best: Candidate | None = None
    ranked = sorted(found, key=_dearness)
    for candidate in ranked:
        why = f"dearer than {best.name}" if best else ""
        why = why or (_barred(world, candidate) if given else "")
        if not why:
            known = _judge(world, choice, candidate)
            judged.append(known)
            why = _unsound(choice, known)
            best = None if why else known
        if why:
            passed.append(Passed(name=candidate.name, why=why))
    if ranked and not judged and not choice.open:
        judged.append(_judge(world, choice, ranked[0]))
    best = best or next((row for row in judged if not _unsound(choice, row, tight=True)), None)
    taken = best if choice.open else best or _nearest(judged)
    over = tuple(row for row in passed if taken is None or row.name != taken.name)
    return replace(
        choice,
        taken=taken,
        sound=best is not None,
        passed_over=over[:_SHOWN],
        nearest=None if best else _told(choice, _nearest(judged), passed),
    )


def _told(choice: Choice, near: Candidate | None, passed: Sequence[Passed]) -> Passed | None:
    """What came closest, and what it lacks."""
    if near is None:
        return passed[-1] if passed else None
    return Passed(name=near.name, why=_unsound(choice, near))


def _judge(world: World, choice: Choice, candidate: Candidate) -> Candidate:
    engine, version, lock = choice.engine, choice.version, world.lock
    if engine is None or lock is None or not _readable(world, choice):
        return candidate
    asked = engines.question(world, lock.model, engine, version or "", candidate)
    hard = obstacles(asked, engine, world.spec.model.task)
    # Of the machine that deploys nobody says how much memory is free.
    is_here = choice.kind.weights == "gguf"
    proof = fit(asked, world.catalog.calibration) if not is_here and not hard else None
    return replace(candidate, obstacles=hard, fit=proof)


def _readable(world: World, choice: Choice) -> bool:
    """Without a file's name there is nothing to prove; the rule `file-pattern` tells that."""
    return choice.kind.weights != "gguf" or world.spec.model.is_gguf


def _barred(world: World, candidate: Candidate) -> str:
    """Why we do not choose it unasked, though a team may name it; empty where we may."""
    offer, allow = candidate.offer, world.policy.gpus_allow
    if offer is not None and offer.status != "available":
        return f"its seller says {offer.status}"
    if candidate.gpu is not None and allow is not None and candidate.gpu.name not in allow:
        return f"{world.policy.file} does not allow this GPU"
    return regions.allowed(world, candidate.region, candidate.areas)


def _unsound(choice: Choice, candidate: Candidate, *, tight: bool = False) -> str:
    """What speaks against a candidate that was judged; empty where nothing does.

    Unasked we take a tight one only where nothing fits better.
    """
    if candidate.obstacles:
        return candidate.obstacles[0].says
    proof = candidate.fit
    if proof is not None and proof.verdict == "does-not-fit":
        return proof.because
    if choice.open and proof is not None and proof.verdict == "unknown":
        return f"not proven: {proof.because}"
    if choice.open and proof is not None and proof.verdict == "tight" and not tight:
        return f"tight: {proof.because}"
    return ""


def _nearest(judged: Sequence[Candidate]) -> Candidate | None:
    """The only one; of several the largest that only memory speaks against."""
    return max(judged, key=_nearness, default=None)


def _nearness(candidate: Candidate) -> tuple[bool, float]:
    memory_gib = candidate.gpu.usable_gib * candidate.count if candidate.gpu else 0.0
    return not candidate.obstacles, memory_gib


def _dearness(candidate: Candidate) -> tuple[Decimal, int, str]:
    usd = candidate.offer.usd if candidate.offer else Decimal(0)
    return usd, candidate.count, candidate.name


def gpus_at_most(choice: Choice) -> int:
    """GPUs of a placement at full scale."""
    return choice.taken.count * choice.replicas_max if choice.taken else 0


def remedy(world: World, choice: Choice) -> str:
    """What would make a placement fit: the smallest change, or the cheapest larger offer."""
    fit_ = choice.taken.fit if choice.taken else None
    ways = [*(fit_.changes[:2] if fit_ else ()), _larger(world, choice)]
    words = ", or ".join(way for way in ways if way)
    return f"try {words}" if words else ""


def _larger(world: World, choice: Choice) -> str:
    """The cheapest offer of the same kind that surely fits."""
    given = {**choice.target.options, "gpu": None, "count": None, "instance": None}
    found = KINDS[choice.kind.name].candidates(world, choice.kind, given)
    best = choose(world, replace(choice, open=True), tuple(found))
    offer = best.taken.offer if best.taken else None
    if not best.sound or offer is None or offer.gpu is None:
        return ""
    return f"{best.taken.name if best.taken else ''} (${offer.usd:.2f} an {offer.per})"
