"""The auditor on invented evidence: a clean world has no fault, and every planted fault is reported."""
import json

import pytest

from kit.auditor import Blow, Call, Evidence, audit, must_be_graceful, name_calls
from kit.records import PartitionState, Record


def counts(call):
    return {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens,
            "total_tokens": call.input_tokens + call.output_tokens, "cache_read_tokens": 0, "cache_write_tokens": 0,
            "convention": "langchain", "raw": {}}


def usage_record(call, offset, final=True, estimated=False, reason=None, name=None):
    data = {"request_id": call.request, "call": name or call.call, "final": final, "estimated": estimated,
            "usage": counts(call)}
    if reason:
        data["reason"] = reason
    return Record("usage", 0, offset, 0, b"default", [], json.dumps({"data": data}).encode())


def response(call, offset):
    value = {"id": call.request, "status": "ok", "message": {"id": call.call}, "usage": counts(call)}
    return Record("responses", 0, offset, 0, None, [], json.dumps(value).encode())


def a_world():
    """20 requests, one call each, every 100 ms; each committed 40 ms after its end. Request 7 was throttled once."""
    calls, responses, usage, committed = [], [], [], {}
    for number in range(20):
        begun = 1000 + number * 100
        call = Call(f"call-{number}", f"r{number}", begun, begun + 50, "ok", 200, True, 10 + number, 5, "w0")
        if number == 7:
            calls.append(Call("call-7-first", "r7", begun - 30, begun - 20, "throttling", 429, False, worker="w0"))
        calls.append(call)
        responses.append(response(call, number))
        usage.append(usage_record(call, number))
        committed["responses", 0, number] = begun + 90
    states = [PartitionState("requests", 0, 0, 20, 20, 20, "bw2AAAAAABBBBBBTTTTTTSSSSSSPPP"),
              PartitionState("responses", 0, 0, 40, 40, -1, "")]
    return Evidence([f"r{n}" for n in range(20)], responses, usage, calls, seen=list(responses) + list(usage),
                    committed_ms=committed, states=states, request_topics=("requests",))


def a_world_with_a_kill():
    """Worker w0 is killed at 1430 with r4's call in flight since 1400; w1 calls it again and records the lost call."""
    world = a_world()
    world.blows = [Blow("w0", 1430)]
    repeated = Call("call-4-again", "r4", 1600, 1650, "ok", 200, True, 14, 5, "w1")
    world.calls.append(repeated)
    world.responses[4] = response(repeated, 4)
    world.usage[4] = usage_record(repeated, 4)
    world.usage.append(usage_record(world.calls[4], 20, False, True, "worker_lost", "another-name"))
    world.committed_ms["responses", 0, 4] = 1690
    world.seen = world.responses + world.usage
    return world


def test_the_auditor_finds_no_fault_in_a_clean_world():
    assert audit(a_world()) == []
    must_be_graceful(a_world())


def test_a_repeated_call_explained_by_a_kill_is_not_a_fault():
    assert audit(a_world_with_a_kill()) == []


def sent_after_a_stop(begun_ms):
    """Worker w0 was stopped from 1255 to 4000, and then sent a call of r2, which w1 had answered meanwhile."""
    world = a_world()
    world.blows = [Blow("w0", 1255, 4000)]
    world.calls[2].worker = "w1"
    world.calls.append(Call(f"00000000-{begun_ms:04x}-7000-8000-000000000000", "r2", 4010, 4050, "ok", 200, False, 12, 5, "w0"))
    return world


def test_a_call_that_a_stopped_worker_had_begun_is_not_a_fault():
    assert not any("r2" in fault for fault in audit(sent_after_a_stop(1250)) if "committed" in fault or "again" in fault)


def test_a_call_that_a_stopped_worker_begins_when_it_goes_on_is_a_fault():
    assert any("after their response was committed: r2" in fault for fault in audit(sent_after_a_stop(4005)))


def a_response_is_missing(world):
    del world.responses[3]


def a_response_is_double(world):
    world.responses.append(response(world.calls[3], 99))


def a_response_without_a_request(world):
    world.responses.append(response(Call("x", "stranger", 0, 0, "ok", 200, True), 98))


def a_call_after_its_commit(world):
    world.blows = [Blow("", 1000, 9000)]
    world.calls.append(Call("late", "r2", 5000, 5050, "ok", 200, False, 12, 5, "w1"))


def a_repeat_without_a_blow(world):
    world.calls.append(Call("again", "r5", 1560, 1580, "ok", 200, False, 15, 5, "w0"))


def a_repeat_after_another_workers_death(world):
    world.blows = [Blow("w9", 1555)]
    world.calls.append(Call("again", "r5", 1560, 1580, "ok", 200, False, 15, 5, "w1"))


def a_usage_record_is_missing(world):
    del world.usage[6]


def a_usage_record_is_double(world):
    world.usage.append(usage_record(world.calls[6], 97))


def a_usage_record_counts_wrong(world):
    world.usage[6].value = world.usage[6].value.replace(b'"input_tokens": 16', b'"input_tokens": 17')


def a_usage_record_of_no_call(world):
    world.usage.append(usage_record(Call("ghost", "r6", 0, 0, "ok", 200, True, 1, 1), 96, final=False))


def a_throttled_call_is_billed(world):
    world.usage.append(usage_record(world.calls[7], 95, final=False))


def the_final_record_names_another_call(world):
    world.responses[6].value = world.responses[6].value.replace(b'call-', b'other-')


def a_seen_record_vanished(world):
    world.seen.append(response(world.calls[0], 500))


def a_seen_record_changed(world):
    world.seen[0] = response(world.calls[1], 0)


def a_request_in_error(world):
    world.responses[8].value = json.dumps({"id": "r8", "status": "error", "error": {"code": "internal"}}).encode()


def a_transaction_is_open(world):
    world.states[1].stable = 30


def a_commit_is_behind(world):
    world.states[0].committed = 19


def a_map_is_left(world):
    world.states[0].metadata = "bw2AAAAAABBBBBBTTTTTTSSSSSSPPP2"


def a_worker_lost_record_without_a_loss(world):
    world.usage.append(usage_record(world.calls[2], 94, False, True, "worker_lost", "z"))


@pytest.mark.parametrize("plant, words", [
    (a_response_is_missing, "without a response: r3"), (a_response_is_double, "more than one response: r3"),
    (a_response_without_a_request, "stranger"), (a_call_after_its_commit, "after their response was committed: r2"),
    (a_repeat_without_a_blow, "r5 was called again"), (a_repeat_after_another_workers_death, "r5 was called again"),
    (a_usage_record_is_missing, "call-6 was billed"), (a_usage_record_is_double, "more than one usage record: call-6"),
    (a_usage_record_counts_wrong, "(17, 5)"), (a_usage_record_of_no_call, "never served: ghost"),
    (a_throttled_call_is_billed, "cost nothing: call-7-first"), (the_final_record_names_another_call, "r6"),
    (a_seen_record_vanished, "a fresh one is not"), (a_seen_record_changed, "reads otherwise"),
    (a_request_in_error, "r8 internal"), (a_transaction_is_open, "a transaction is open"),
    (a_commit_is_behind, "committed 19, end 20"), (a_map_is_left, "still has open offsets"),
    (a_worker_lost_record_without_a_loss, "worker_lost records after 0"),
], ids=lambda value: value.__name__ if callable(value) else None)
def test_a_planted_fault_is_reported(plant, words):
    world = a_world()
    plant(world)
    faults = audit(world)
    assert any(words in fault for fault in faults), faults


def test_a_lost_call_must_be_recorded_unless_it_began_just_before_the_kill():
    world = a_world_with_a_kill()
    world.usage.pop()
    world.seen.pop()
    assert audit(world) == []
    world.blows = [Blow("w0", 1400 + 5000)]
    world.calls[-1].started_ms, world.committed_ms["responses", 0, 4] = 6500, 6600
    assert any("no worker_lost record" in fault for fault in audit(world))


def test_a_graceful_stop_must_repeat_no_call_even_when_explained():
    with pytest.raises(AssertionError, match="calls are not requests"):
        must_be_graceful(a_world_with_a_kill())


def test_calls_are_matched_by_request_id_else_by_attempt_and_start():
    def booked(call, service_id, second, attempt=1):
        return {"call": call, "request_id": "r", "attempt": attempt, "started_at": f"1970-01-01T00:00:{second:02}.000Z",
                **({"bedrock_request_id": service_id} if service_id else {})}
    calls = [Call(f"sim-{n}", "r", 1000 * n + 3, 1000 * n + 9, "ok", 200, True, service_id=f"s{n}", attempt=1)
             for n in range(4)]
    name_calls(calls, [booked("a", "s0", 0), booked("b", "", 2), booked("c", "", 1), booked("d", "other", 3)])
    assert [call.call for call in calls] == ["a", "c", "b", "sim-3"]
