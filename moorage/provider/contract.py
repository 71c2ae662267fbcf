"""The contract of every handler, as a test class: `class TestBerth(HandlerContract)`.

A subclass names the package and the resource type, gives inputs, and shows the world behind the
handler: how to list what exists there, plant what is not ours, and take a thing away behind our
back. What a kind of resource has not got is said in `lacks`, with the reason.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

import pytest

from moorage.provider.handler import Handler
from moorage.provider.testing import samples
from moorage.provider.testing.client import InitFailed, Refused
from moorage.provider.testing.stage import Made, Stage, comes_true, is_one_line, of
from moorage.provider.testing.trial import Trials
from moorage.provider.values import decode

__all__ = ["HandlerContract", "Made"]

_AT_ONCE_S: Final = (
    10.0  # far below a wait that was not cancelled, far above a busy machine's pause
)


class HandlerContract(Stage):
    """What every handler of a resource keeps to; subclass it in a module of its own."""

    def test_created_again_it_is_the_same_thing(self) -> None:
        """Create adopts what is ours already."""
        self._needs("remote")
        made, again = self._made(), self._made()
        assert again.id == made.id, "the second create has made another thing"
        self._one_thing()

    def test_a_foreign_thing_of_its_name_is_refused_and_left_alone(self) -> None:
        """Create never takes over what is not ours."""
        self._needs("remote", "foreign")
        self.plant_foreign()
        before = self.things()
        with pytest.raises(Refused) as refused:
            self._made()
        is_one_line(str(refused.value))
        assert self.things() == before, "the foreign thing was touched"

    def test_a_foreign_thing_in_its_place_is_neither_changed_nor_deleted(self) -> None:
        """Update refuses, delete has nothing to do."""
        self._needs("remote", "foreign")
        made = self._made()
        self.remove(made.id)
        self.plant_foreign()
        before = self.things()
        if self._handler.update is not None:
            with suppress(Refused, InitFailed):
                self.client.update(made.id, made.state, self._checked(self.changed()))
            assert self.things() == before, "update has touched a foreign thing"
        self.client.delete(made.id, made.state)
        assert self.things() == before, "delete has touched a foreign thing"

    def test_an_update_made_twice_changes_nothing_more(self) -> None:
        """Whether its answer arrived or was lost."""
        self._needs_update()
        made, wanted = self._made(), self._checked(self.changed())
        state = decode(self.client.update(made.id, made.state, wanted).properties).plain
        after, writes = self._world(), self.writes()
        self.client.update(made.id, state, wanted)
        assert self.writes() == writes, "the same update again has written"
        self.client.update(made.id, made.state, wanted)
        assert self._world() == after, "the same update again has changed the thing"

    def test_changes_are_made_in_place_or_replace_as_declared(self) -> None:
        """What the change of an input does is known before the run."""
        made = self._made()
        replaced = self._difference(made, self._checked(self.replaced()))
        assert replaced.replaces, "the change should replace the thing, and does not"
        if self._handler.update is not None:
            changed = self._difference(made, self._checked(self.changed()))
            assert changed.detailedDiff, "the change is not seen"
            assert not changed.replaces, f"the change should not replace: {changed.replaces}"

    def test_deleting_what_is_gone_succeeds(self) -> None:
        """Taken away by others, or by a delete whose answer was lost."""
        made = self._made()
        if "remote" not in self.lacks:
            self.remove(made.id)
        self.client.delete(made.id, made.state)
        self.client.delete(made.id, made.state)
        assert not self._world(), "something is left"

    def test_by_its_id_alone_it_is_read_in_full(self) -> None:
        """State and inputs may be lost; the thing itself tells what would declare it."""
        self._needs("id")
        made = self._made()
        found = self.client.read(made.id, {}, {})
        assert found.HasField("properties"), "it is there, and was answered as absent"
        self._declares(found, made.declared)

    def test_what_is_not_there_is_answered_as_absent(self) -> None:
        """Both to a refresh and to an import."""
        made = self._made()
        if "remote" not in self.lacks:
            self.remove(made.id)
            found = self.client.read(made.id, made.state, made.declared)
            assert not found.HasField("properties"), "it is gone, and a refresh did not see it"
        if "import" not in self.lacks:
            found = self.client.read(self.missing_id(made), {}, {})
            assert not found.HasField("properties"), "it is not there, and was imported"

    def test_nothing_differs_after_create(self) -> None:
        """The same program again has nothing to do."""
        self._is_same(self._made())

    def test_nothing_differs_after_read(self) -> None:
        """Neither after a refresh."""
        made = self._made()
        found = self.client.read(made.id, made.state, made.declared)
        assert found.HasField("properties"), "it is there, and was answered as absent"
        self._is_same(of(found))

    def test_nothing_differs_after_import(self) -> None:
        """And an imported thing is like one that was created."""
        self._needs("import")
        made = self._made()
        found = self.client.read(self.import_id(made.id), {}, {})
        assert found.HasField("properties"), "it is there, and cannot be imported"
        self._declares(found, made.declared)
        imported = of(found)
        self._is_same(imported, besides=self.unreadable)
        again = self.client.read(imported.id, imported.state, imported.declared)
        assert again.HasField("properties"), "what was imported is not found again by its id"

    def test_what_a_preview_knows_comes_true(self) -> None:
        """An output is unknown, or as the run will make it."""
        declared = self._checked(self.inputs())
        foreseen = decode(self.client.create(declared, preview=True).properties).plain
        made = self._made()
        comes_true(foreseen, made.state)
        if self._handler.update is not None:
            wanted = self._checked(self.changed())
            answer = self.client.update(made.id, made.state, wanted, preview=True)
            foreseen = decode(answer.properties).plain
            answer = self.client.update(made.id, made.state, wanted)
            comes_true(foreseen, decode(answer.properties).plain)

    def test_unknown_inputs_are_no_fault_and_a_preview_touches_nothing(self, tried: Trials) -> None:
        """Every input in turn, the members within it, and all at once."""
        made = self._made()
        asked = [
            (f"{method} with {where} unknown", method, request)
            for where, inputs in samples.with_unknowns(made.declared)
            for method, request in self._previews(made, inputs)
        ]
        outcomes = tried.calls([(method, request) for _, method, request in asked])
        for (about, *_), outcome in zip(asked, outcomes, strict=False):
            assert not outcome.was_killed, f"{about}: it died"
            assert outcome.fault is None, f"{about}: {outcome.fault}"
            assert not outcome.effects, f"{about} touches the world: {outcome.effects}"
        assert len(outcomes) == len(asked), "the previews ended early"

    def test_no_secret_is_told(
        self, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Neither in a plain value, nor in a log line or message, in a whole life of the thing."""
        caplog.set_level("DEBUG")
        secrets = self._whole_life()
        told = [*self.ear.texts(), *capfd.readouterr(), caplog.text]
        told += [samples.bare(one) for one in self.client.heard]
        for number, secret in enumerate(sorted(secrets)):
            showing = [text.replace(secret, "[HERE]") for text in told if secret in text]
            assert not showing, f"secret {number} is told: {showing[0]}"

    def test_a_cancel_ends_the_wait_at_once_and_keeps_the_thing(self) -> None:
        """Its id is in state, and the next run goes on with it."""
        self._needs("wait")
        call = self.client.create_later(self._checked(self.waiting()))
        self._until(lambda: self._world() or ("remote" in self.lacks and self.ear.lines))
        began_s = time.monotonic()
        self.client.cancel()
        self._ends_partly(lambda: self.client.wait_for(call))
        assert time.monotonic() - began_s < _AT_ONCE_S, "the cancel did not end the wait"

    def test_a_custom_timeout_ends_the_wait_and_the_next_run_goes_on(self) -> None:
        """As a partial failure, with the id."""
        self._needs("wait")
        declared, began_s = self._checked(self.waiting()), time.monotonic()
        failed = self._ends_partly(lambda: self.client.create(declared, timeout=self.short_s))
        assert time.monotonic() - began_s < _AT_ONCE_S, "the timeout did not end the wait"
        if isinstance(failed, InitFailed) and self._handler.update is not None:
            wanted = self._checked(self.inputs())
            self.client.update(failed.id, failed.properties.plain, wanted)
            self._one_thing()

    def test_locate_finds_what_an_interrupted_create_left(self) -> None:
        """Asked by the driver after a death."""
        self._needs("remote")
        if self._handler.locate is Handler.__dataclass_fields__["locate"].default:
            pytest.skip("the handler has no locate: the next create finds what was left")
        declared = self._checked(self.inputs())
        assert self._located(declared) is None, "found before it was made"
        made = self._made()
        assert self._located(declared) == made.id, "not found, or under another id"

    def test_a_create_killed_anywhere_and_run_again_leaves_one_thing(self, tried: Trials) -> None:
        """At every effect that it has outside."""
        self._needs("remote")
        declared = self._checked(self.inputs())
        made = Made(id="", declared=declared, state={})
        request = self.client.create_request(declared)
        for at, _ in self._killed(tried, "Create", lambda: (made, request)):
            assert len(self.things()) <= 1, f"{at}: more than one thing"
            located = self._located(declared)
            again = self._made()
            self._one_thing(at)
            assert located in (None, again.id), f"{at}: locate found {located}"
            self._is_as(again, declared, at)
            self.client.delete(again.id, again.state)
            assert not self.things(), f"{at}: the delete has left something"

    def test_an_update_killed_anywhere_and_run_again_is_made(self, tried: Trials) -> None:
        """And leaves one thing."""
        self._needs("remote")
        self._needs_update()
        wanted = self._checked(self.changed())

        def request() -> tuple[Made, Any]:
            made = self._made()
            return made, self.client.update_request(made.id, made.state, wanted)

        for at, made in self._killed(tried, "Update", request):
            answer = self.client.update(made.id, made.state, wanted)
            self._one_thing(at)
            state = decode(answer.properties).plain
            self._is_as(Made(id=made.id, declared=wanted, state=state), wanted, at)
            self.client.delete(made.id, state)

    def test_a_delete_killed_anywhere_and_run_again_leaves_nothing(self, tried: Trials) -> None:
        """Neither the thing nor a part of it."""
        self._needs("remote")

        def request() -> tuple[Made, Any]:
            made = self._made()
            return made, self.client.delete_request(made.id, made.state)

        for at, made in self._killed(tried, "Delete", request):
            self.client.delete(made.id, made.state)
            assert not self.things(), f"{at}: something is left"
