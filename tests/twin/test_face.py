"""The twin from a test's own process: what is driven, planted, struck and seen."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from moorage.twin import face
from moorage.twin.clock import Clock
from moorage.twin.face import Fault, Scenario, Start, Timings, Twin, TwinError

ANN = {"Authorization": "Bearer hf_twin_ann"}


@pytest.fixture
def twin() -> Iterator[Twin]:
    with face.serve(Scenario(clock="driven")) as running:
        yield running


def get(twin: Twin, path: str) -> httpx.Response:
    return httpx.get(f"{twin.urls['endpoints']}{path}", headers=ANN)


def test_a_planted_endpoint_serves_and_is_somebody_elses(twin: Twin) -> None:
    endpoint = twin.plant("acme", "by-hand")
    told = get(twin, "/v2/endpoint/acme/by-hand").json()
    assert told["status"]["createdBy"]["name"] == "zoe"
    assert told == endpoint.raw
    assert httpx.get(f"{endpoint.url}/health", headers=ANN).status_code == 200


def test_a_planted_endpoint_may_have_any_field(twin: Twin) -> None:
    twin.plant("acme", "one", tags=["a"], type="public")
    assert twin.endpoints["acme/one"].raw["tags"] == ["a"]
    with pytest.raises(TwinError, match="no instance"):
        twin.plant("acme", "two", provider={"vendor": "aws", "region": "mars"})


def test_a_person_pauses_and_removes(twin: Twin) -> None:
    endpoint = twin.plant("acme", "one")
    twin.pause("acme", "one")
    assert endpoint.raw["status"]["updatedBy"]["name"] == "zoe"
    assert endpoint.history[-1] == "paused"
    twin.remove("acme", "one")
    assert get(twin, "/v2/endpoint/acme/one").status_code == 404
    assert "acme/one" not in twin.endpoints
    assert twin.endpoints.gone == [endpoint]


def test_time_only_passes_when_it_is_driven(twin: Twin) -> None:
    endpoint = twin.plant("acme", "one", ready=False)
    assert endpoint.raw["status"]["state"] == "pending"
    twin.clock.advance(10)
    assert endpoint.raw["status"]["state"] == "running"
    assert endpoint.history == ["pending", "initializing", "running"]


def test_time_never_goes_back(twin: Twin) -> None:
    twin.clock.advance(10)
    twin.clock.advance(-5)
    assert twin.clock.now_s() == 10


def test_two_moments_never_have_one_stamp(twin: Twin) -> None:
    stamps = [twin.clock.stamp() for _ in range(5)]
    assert stamps == sorted(set(stamps))


def test_requests_are_noted_with_host_and_person(twin: Twin) -> None:
    get(twin, "/v2/endpoint/acme")
    httpx.get(f"{twin.urls['router']}/v1/models")
    httpx.get(f"{twin.urls['hub']}/api/whoami-v2", headers=ANN)
    seen = [(one.host, one.method, one.path, one.token_of) for one in twin.requests]
    assert seen == [
        ("endpoints", "GET", "/v2/endpoint/acme", "ann"),
        ("router", "GET", "/v1/models", ""),
        ("hub", "GET", "/api/whoami-v2", "ann"),
    ]


def test_a_fault_strikes_as_often_as_it_says(twin: Twin) -> None:
    twin.faults.append(Fault(path="/v2/endpoint", times=2, after=1, status=503, body={"a": 1}))
    answers = [get(twin, "/v2/endpoint/acme") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].json() == {"a": 1}
    assert len(twin.faults) == 0


def test_a_fault_without_end_stays_until_it_is_cleared(twin: Twin) -> None:
    twin.faults.append(Fault(times=None, does="drop"))
    for _ in range(3):
        with pytest.raises(httpx.TransportError):
            get(twin, "/v2/endpoint/acme")
    twin.faults.clear()
    assert get(twin, "/v2/endpoint/acme").status_code == 200


def test_a_fault_may_only_delay(twin: Twin) -> None:
    twin.faults.append(Fault(does="pass", delay_s=0.2))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{twin.urls['endpoints']}/v2/provider", timeout=0.05)
    assert get(twin, "/v2/provider").status_code == 200


def test_a_fault_is_of_one_host(twin: Twin) -> None:
    twin.faults.append(Fault(host="router", status=500))
    assert get(twin, "/v2/provider").status_code == 200
    assert httpx.get(f"{twin.urls['router']}/v1/models").status_code == 500


def test_the_same_fault_may_be_used_in_two_twins() -> None:
    scenario = Scenario(faults=(Fault(status=500),))
    for _ in range(2):
        with face.serve(scenario) as running:
            assert get(running, "/v2/provider").status_code == 500
            assert get(running, "/v2/provider").status_code == 200


def test_the_first_start_may_fail_and_the_next_be_well() -> None:
    bad = Start(name="shaky", times=1, message="no memory", log=("CUDA out of memory",))
    with face.serve(Scenario(clock="driven", starts=(bad,))) as running:
        running.plant("acme", "steady", ready=False)
        shaky = running.plant("acme", "shaky", ready=False)
        running.clock.advance(60)
        assert running.endpoints["acme/steady"].state == "running"
        assert (shaky.raw["status"]["state"], shaky.error) == ("failed", "no memory")
        assert "CUDA out of memory" in shaky.log
        resume = f"{running.urls['endpoints']}/v2/endpoint/acme/shaky/resume"
        assert httpx.post(resume, headers=ANN).status_code == 200
        running.clock.advance(60)
        assert shaky.raw["status"]["state"] == "running"


def test_waiting_for_a_state_gives_up_with_what_is_there() -> None:
    with face.serve(Scenario(timings=Timings(pending_s=60))) as running:
        running.plant("acme", "one", ready=False)
        with pytest.raises(TwinError, match=r"is pending after 0\.05 s, not running"):
            running.wait_for("acme/one", "running", within_s=0.05)


def test_fifty_endpoints_are_created_at_once() -> None:
    """Many hands, one twin: nothing is lost, every start takes its own time."""
    from concurrent.futures import ThreadPoolExecutor

    with face.serve(Scenario(timings=Timings(initializing_s=0.5))) as running:
        body = running.plant("acme", "model").body
        url = f"{running.urls['endpoints']}/v2/endpoint/acme"

        def create(number: int) -> int:
            named = {**body, "name": f"one-{number}"}
            return httpx.post(url, json=named, headers=ANN, timeout=30).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(create, range(31)))
        assert statuses == [202] * 31
        assert len(running.endpoints) == 32
        for number in range(31):
            running.wait_for(f"acme/one-{number}", "running")


class Running(Clock):
    """A second passes between any two looks."""

    def now_s(self) -> float:
        self.advance(1)
        return super().now_s()


@pytest.mark.parametrize("left_s", [0.5, 1.5, 2.5, 3.5])
def test_an_endpoint_that_goes_while_all_are_told_breaks_nothing(twin: Twin, left_s: float) -> None:
    endpoint = twin.plant("acme", "going")
    endpoint.clock, endpoint.gone_at_s = Running(driven=True), left_s
    told = get(twin, "/v2/endpoint/acme")
    assert told.status_code == 200
    assert [one["name"] for one in told.json()["items"]] in (["going"], [])
    assert dict(twin.endpoints.items()) == {}


def test_secrets_are_kept_for_the_test_and_told_to_nobody(twin: Twin) -> None:
    body = twin.plant("acme", "one").body
    url = f"{twin.urls['endpoints']}/v2/endpoint/acme/one"
    sent = {"model": {"secrets": {"KEY": "p-o-r-t"}}}
    assert "p-o-r-t" not in httpx.put(url, json=sent, headers=ANN).text
    assert twin.endpoints["acme/one"].secrets == {"KEY": "p-o-r-t"}
    assert "p-o-r-t" not in str(body)
