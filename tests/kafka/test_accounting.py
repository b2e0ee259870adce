"""Thousands of requests with throttling and broken streams: usage records against the simulator's ledger."""
from collections import Counter

import pytest

from kit.world import World


@pytest.mark.core
def test_thousands_of_requests_with_faults_are_answered_and_recorded_exactly_once(broker, folder):
    faults = {"throttling": 0.05, "cut_stream": 0.04, "corrupt_frame": 0.02, "internal_server": 0.02,
              "stream_throttling": 0.02, "reset_after_body": 0.01, "short_stream": 0.02, "service_unavailable": 0.01}
    with World(broker, folder, simulator={"faults": faults, "latency": "uniform(1ms, 60ms)"},
               settings={"bedrock": {"retry": {"max_attempts": 30}}}) as world:
        world.worker("w0")
        world.worker("w1")
        world.ask_many(1500, "plain", keys=200)
        world.ask_many(1000, "stream", stream=True)
        world.ask_many(500, "tenant", tenant="acme", labels={"team": "a"})
        world.await_answers()
        evidence = world.must_be_clean()
        outcomes = Counter(call.outcome for call in world.calls)
        assert outcomes["ok"] == 3000 and len(outcomes) >= 6, outcomes
        cut = [record.json()["data"] for record in evidence.usage if record.json()["data"]["estimated"]]
        assert Counter(data["reason"] for data in cut)["stream_cut"] > 20
        assert all(not data["final"] for data in cut)


def test_a_new_run_of_chunks_replaces_the_last_and_adds_up_to_the_answer(broker, folder):
    with World(broker, folder, simulator={"faults": {"cut_stream": 0.3, "corrupt_frame": 0.2}},
               settings={"bedrock": {"retry": {"max_attempts": 60}}}) as world:
        world.worker()
        world.ask_many(60, "s", stream=True, keys=20)
        world.await_answers()
        world.must_be_clean()
        runs, last = {}, {}
        for record in world.read(world.topics.chunks):
            chunk = record.json()
            if chunk["seq"] == 0:
                last[chunk["id"]] = chunk["run"]
            runs.setdefault(chunk["run"], []).append(chunk)
        answers = world.responses()
        assert set(last) == set(answers) and len(runs) > 80
        for name, run in last.items():
            chunks = runs[run]
            assert run == answers[name]["message"]["id"]
            assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
            assert chunks[-1]["last"] and not any(chunk["last"] for chunk in chunks[:-1])
            text = "".join(block.get("text", "") for chunk in chunks for block in chunk["content"])
            content = answers[name]["message"]["content"]
            assert text == "".join(block.get("text", "") for block in content)


def test_a_permanently_failed_request_gets_error_dead_letter_and_usage(broker, folder):
    with World(broker, folder, settings={"bedrock": {"retry": {"max_attempts": 3, "max_elapsed": "20s"}}}) as world:
        world.worker()
        world.ask("cut", stream=True, directive="fault=cut_stream")
        world.ask("denied", directive="fault=access_denied")
        world.ask("broken", directive="fault=internal_server")
        world.ask("fine")
        world.writer.flush()
        world.await_answers()
        world.must_be_clean(may_end_in_error=True)
        answers = world.responses()
        assert answers["fine"]["status"] == "ok"
        assert {name: answers[name]["error"]["code"] for name in ("cut", "denied", "broken")} == {
            "cut": "broken_stream", "denied": "access_denied", "broken": "unavailable"}
        assert [attempt["attempt"] for attempt in answers["cut"]["attempts"]] == [1, 2, 3]
        assert answers["cut"]["error"]["retryable"] and not answers["denied"]["error"]["retryable"]
        usage = world.usage_by_request()
        assert len(usage["cut"]) == 3 and "denied" not in usage and "broken" not in usage
        assert all(data["reason"] == "stream_cut" for data in usage["cut"])
        letters = {record.json()["id"]: record for record in world.read(world.topics.letters)}
        assert set(letters) == {"cut", "denied", "broken"}
        assert letters["cut"].header("bedrock-error-code") == b"broken_stream"
        assert letters["cut"].header("bedrock-attempts") == b"3"
        closing = [record.json() for record in world.read(world.topics.chunks) if record.json()["last"]]
        assert [chunk["error"]["code"] for chunk in closing] == ["broken_stream"]


def test_requests_throttled_by_a_quota_wait_and_succeed(broker, folder):
    quota = [{"model": "*", "requests": 600, "burst": "2s"}]
    with World(broker, folder, simulator={"quotas": quota}) as world:
        world.worker()
        world.ask_many(80)
        world.await_answers()
        world.must_be_graceful()
        assert Counter(call.status for call in world.calls)[429] > 0
