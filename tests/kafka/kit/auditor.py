"""The auditor: compares what a client with read_committed sees with the simulator's own ledger, call by call.

Pure: from records and calls it makes a list of faults, as sentences; it fetches nothing. Its own tests plant faults and
expect each in the list.
"""
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

BEGUN_UNSEEN_MS = 2000      # a call begun this shortly before its worker died may have no usage record
SERVED_LATE_MS = 1000       # a busy service may begin a request after its sender died
NEAR_MS = 5000              # between the worker's start of a call and the service's
UUID_7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
CUT_SHORT = {"cancelled", "timeout", "stream_cut", "no_counts"}


@dataclass
class Call:
    """One exchange that the simulator served."""
    call: str                   # the worker's name for it, see name_calls
    request: str                # the marker in the prompt
    started_ms: float           # wall clock of this machine
    ended_ms: float
    outcome: str                # ok, or what went wrong
    status: int                 # HTTP; 0 = none was sent
    billed: bool
    input_tokens: int = 0
    output_tokens: int = 0
    worker: str = ""            # whose access key signed it
    fault: str = ""             # the planned fault of the simulator
    service_id: str = ""        # the service's request id, from the head of an answer
    attempt: int = 0            # as the worker counted

    @property
    def begun_ms(self):
        """When the worker began it, by the worker's name for it."""
        name = UUID_7.fullmatch(self.call)
        return int(name[1] + name[2], 16) if name else self.started_ms

    @property
    def is_answer(self):
        return self.outcome == "ok"

    @property
    def was_left(self):
        """The worker left a call that had no fault."""
        return self.outcome in ("client_gone", "stopped") and not self.fault


def name_calls(calls, usage):
    """Gives the ledger's calls the names of their usage records. The service's request id matches them; a call whose
    answer never began has none, and is matched by its request, its attempt and the nearest start."""
    by_service_id = {call.service_id: call for call in calls if call.service_id}
    silent = []
    for data in usage:
        call = by_service_id.pop(data.get("bedrock_request_id", ""), None)
        if call:
            call.call = data["call"]
        elif not data.get("bedrock_request_id") and "started_at" in data:
            silent.append(data)
    left = list(by_service_id.values())
    for data in silent:
        began = datetime.fromisoformat(data["started_at"]).timestamp() * 1000
        near = [call for call in left if (call.request, call.attempt) == (data["request_id"], data["attempt"])
                and abs(call.started_ms - began) < NEAR_MS]
        if near:
            call = min(near, key=lambda call: abs(call.started_ms - began))
            call.call = data["call"]
            left.remove(call)


@dataclass
class Blow:
    """An event that explains repeated calls: a worker was killed, or was stopped until it lost its partitions."""
    worker: str                 # "" = any worker
    at_ms: float
    until_ms: float = 0.0       # the end of it, where it lasted

    def hits(self, call):
        end = max(self.until_ms, self.at_ms) + SERVED_LATE_MS
        return self.worker in ("", call.worker) and call.started_ms <= end

    def explains(self, earlier, later):
        return self.at_ms <= later.started_ms and (self.hits(earlier) or self.holds_up(later))

    def holds_up(self, call):
        """The worker had begun the call when it was stopped, and sent it when it went on."""
        return self.hits(call) and call.begun_ms < self.at_ms <= call.started_ms


@dataclass
class Evidence:
    requests: list                                      # ids
    responses: list                                     # Records read afresh
    usage: list
    calls: list
    seen: list | None = None                            # Records a concurrent reader was given
    committed_ms: dict = field(default_factory=dict)    # place of a response -> when it was committed
    blows: list = field(default_factory=list)
    outages: list = field(default_factory=list)         # (from, until) with the broker away: records are late by these
    states: list = field(default_factory=list)          # PartitionState of requests and outputs
    request_topics: tuple = ()
    may_double: bool = False                            # at_least_once after a crash
    may_end_in_error: bool = False


def audit(evidence):
    """All faults, as sentences; an empty list means none."""
    faults = []
    faults += one_response_each(evidence)
    faults += nothing_unseen(evidence)
    faults += no_call_after_commit(evidence)
    faults += repeats_are_explained(evidence)
    faults += repeats_are_bounded(evidence)
    faults += usage_and_ledger_agree(evidence)
    faults += nothing_left_open(evidence)
    return faults


def must_be_clean(evidence):
    faults = audit(evidence)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:12])


def few(things, limit=5):
    things = sorted(map(str, things))
    return ", ".join(things[:limit]) + (f" … ({len(things)} in all)" if len(things) > limit else "")


def one_response_each(evidence):
    answers = Counter(record.json()["id"] for record in evidence.responses)
    wanted = Counter(evidence.requests)
    faults = []
    missing = [name for name in wanted if name not in answers]
    if missing:
        faults.append(f"requests without a response: {few(missing)}")
    double = [name for name, count in answers.items() if count > wanted.get(name, 1)]
    if double and not evidence.may_double:
        faults.append(f"requests with more than one response: {few(double)}")
    strange = [name for name in answers if name not in wanted]
    if strange:
        faults.append(f"responses to nothing that was asked: {few(strange)}")
    if not evidence.may_end_in_error:
        errors = [f"{value['id']} {value['error']['code']}" for value in (r.json() for r in evidence.responses)
                  if value["status"] != "ok"]
        if errors:
            faults.append(f"requests that ended in an error: {few(errors)}")
    return faults


def nothing_unseen(evidence):
    if evidence.seen is None:
        return []
    fresh = {record.place: record.value for record in evidence.responses + evidence.usage}
    topics = {topic for topic, _, _ in fresh}
    seen = [record for record in evidence.seen if record.topic in topics]
    faults = []
    gone = [record.place for record in seen if record.place not in fresh]
    if gone:
        faults.append(f"records that a concurrent reader was given and a fresh one is not: {few(gone)}")
    changed = [record.place for record in seen if fresh.get(record.place, record.value) != record.value]
    if changed:
        faults.append(f"records that a fresh reader reads otherwise: {few(changed)}")
    twice = [place for place, count in Counter(record.place for record in seen).items() if count > 1]
    if twice:
        faults.append(f"records that a concurrent reader was given twice: {few(twice)}")
    return faults


def commit_times(evidence):
    """Per request id, when its response was certainly committed: the log's marker, else when a reader first got it."""
    times = {record.place: record.seen_ms for record in evidence.seen or []}
    times.update({place: time for place, time in evidence.committed_ms.items() if time is not None})
    known = {}
    for record in evidence.responses:
        if record.place in times:
            name = record.json()["id"]
            known[name] = min(times[record.place], known.get(name, float("inf")))
    return known


def no_call_after_commit(evidence):
    known = commit_times(evidence)
    late = [f"{call.request} (call {call.call}, {call.started_ms - known[call.request]:.0f} ms after)"
            for call in evidence.calls if call.request in known and call.started_ms > known[call.request] + 1
            and not any(blow.holds_up(call) for blow in evidence.blows)]
    return [f"calls begun after their response was committed: {few(late)}"] if late else []


def calls_by_request(evidence):
    grouped = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda call: call.started_ms):
        grouped[call.request].append(call)
    return grouped


def repeats_are_explained(evidence):
    """A call may follow another of the same request when that one failed, or when a worker died or lost it between."""
    faults, wanted, grouped = [], set(evidence.requests), calls_by_request(evidence)
    never = [] if evidence.may_end_in_error else [name for name in wanted if name not in grouped]
    if never:
        faults.append(f"answered without a call: {few(never)}")
    for name, calls in grouped.items():
        if name not in wanted:
            faults.append(f"a call for a request that nobody made: {name}")
        for earlier, later in zip(calls, calls[1:]):
            if (earlier.is_answer or earlier.was_left) and not any(blow.explains(earlier, later) for blow in evidence.blows):
                faults.append(f"{name} was called again ({later.call}) although call {earlier.call} of worker "
                              f"{earlier.worker or '?'} had ended as {earlier.outcome} and no blow fell between")
    return faults


def open_at(evidence, blow, known):
    """Calls in flight or not yet committed at the blow: the most that it may repeat."""
    return sum(1 for call in evidence.calls
               if blow.hits(call) and known.get(call.request, float("inf")) > blow.at_ms)


def repeats_are_bounded(evidence):
    known = commit_times(evidence)
    repeated, most = repeated_calls(evidence), sum(open_at(evidence, blow, known) for blow in evidence.blows)
    if repeated > most:
        return [f"{repeated} calls were repeated; at most {most} were in flight or uncommitted at the blows"]
    return []


def repeated_calls(evidence):
    return sum(max(0, sum(call.is_answer for call in calls) - 1) for calls in calls_by_request(evidence).values())


def usage_and_ledger_agree(evidence):
    records = [(record, record.json()["data"]) for record in evidence.usage]
    replaced = {data["replaces"] for _, data in records if "replaces" in data}
    lost = [data for _, data in records
            if data.get("reason") == "worker_lost" and data["call"] not in replaced]
    reported = [data for _, data in records if data.get("reason") != "worker_lost"]
    by_call = Counter(data["call"] for data in reported)
    ledger = {call.call: call for call in evidence.calls}
    faults = []
    double = [name for name, count in by_call.items() if count > 1]
    if double and not evidence.may_double:
        faults.append(f"calls with more than one usage record: {few(double)}")
    # A call cancelled on its way may or may not have reached the service: its usage is recorded.
    cancelled = {data["call"] for data in reported if data.get("reason") == "cancelled"}
    unknown = [name for name in by_call if name not in ledger and name not in cancelled]
    if unknown:
        faults.append(f"usage records of calls that the service never served: {few(unknown)}")
    free = [data["call"] for data in reported if data["call"] in ledger and not ledger[data["call"]].billed
            and (not data["estimated"] or ledger[data["call"]].status >= 400)]
    if free:
        faults.append(f"usage records of calls that cost nothing: {few(free)}")
    faults += sums_agree(reported, ledger)
    faults += silent_calls(evidence, by_call, lost)
    faults += losses_are_explained(evidence, lost)
    faults += finals_match(evidence, reported)
    return faults


def sums_agree(reported, ledger):
    faults = []
    for data in reported:
        call = ledger.get(data["call"])
        if call is None or data["estimated"]:
            if data["estimated"] and data.get("reason") not in CUT_SHORT:
                faults.append(f"call {data['call']} is estimated without a known reason: {data.get('reason')}")
            continue
        counts = (data["usage"]["input_tokens"], data["usage"]["output_tokens"])
        if counts != (call.input_tokens, call.output_tokens):
            faults.append(f"call {call.call}: the usage record says {counts} tokens, the service billed "
                          f"{(call.input_tokens, call.output_tokens)}")
    return faults


def silent_calls(evidence, by_call, lost):
    """Billed calls without a usage record: each needs a blow, and then a worker_lost record or a very late start."""
    lost_left = Counter(data["request_id"] for data in lost)
    faults = []
    for call in evidence.calls:
        if not call.billed or call.call in by_call:
            continue
        blows = [blow for blow in evidence.blows if blow.hits(call)]
        if not blows:
            faults.append(f"{call.request}: call {call.call} was billed and has no usage record; no worker was lost")
        elif lost_left[call.request] > 0:
            lost_left[call.request] -= 1
        elif not any(may_escape(evidence, call, blow) for blow in blows):
            faults.append(f"{call.request}: call {call.call} was billed, its worker was lost later than "
                          f"{BEGUN_UNSEEN_MS} ms after its start, and no worker_lost record tells of it")
    return faults


def may_escape(evidence, call, blow):
    """Only calls begun after the last commit may have no record; with the broker away there was no commit."""
    begun_at = call.started_ms
    for start, end in evidence.outages:
        if start - BEGUN_UNSEEN_MS <= begun_at <= end + BEGUN_UNSEEN_MS:
            begun_at = end
    return blow.at_ms - begun_at <= BEGUN_UNSEEN_MS


def losses_are_explained(evidence, lost):
    faults = []
    blows = len(evidence.blows)
    for name, count in Counter(data["request_id"] for data in lost).items():
        if count > blows:
            faults.append(f"{name}: {count} worker_lost records after {blows} lost workers")
    return faults


def finals_match(evidence, reported):
    """The only final record of a request is that of the call whose answer was published."""
    final = defaultdict(list)
    for data in reported:
        if data["final"]:
            final[data["request_id"]].append(data)
    faults = []
    if evidence.may_double:
        return faults
    for record in evidence.responses:
        value = record.json()
        if value["status"] != "ok":
            continue
        calls = [data["call"] for data in final.get(value["id"], [])]
        if calls != [value["message"]["id"]]:
            faults.append(f"{value['id']}: answered by call {value['message']['id']}, final usage of {calls}")
        elif final[value["id"]][0]["usage"] != value["usage"]:
            faults.append(f"{value['id']}: response and usage record count differently")
    return faults


def nothing_left_open(evidence):
    faults = []
    for state in evidence.states:
        where = f"{state.topic}-{state.partition}"
        if state.stable != state.end:
            faults.append(f"{where}: a transaction is open (stable offset {state.stable}, end {state.end})")
        if state.topic not in evidence.request_topics:
            continue
        if state.committed != state.end and not (state.end == state.low == 0 and state.committed < 0):
            faults.append(f"{where}: committed {state.committed}, end {state.end}")
        elif not map_is_empty(state.metadata):
            faults.append(f"{where}: the offset map still has open offsets: {state.metadata!r}")
    return faults


def map_is_empty(metadata):
    """A head of bw2 (offset_map.h) or of the version after it (test_upgrade.py), and then no runs."""
    return metadata == "" or (metadata.startswith(("bw2", "bw3")) and len(metadata) == 30)


def must_be_graceful(evidence):
    """With clean stops only, every request has exactly one answered call and no call is recorded as lost."""
    must_be_clean(evidence)
    answered = Counter(call.request for call in evidence.calls if call.is_answer)
    repeated = {name: count for name, count in answered.items() if count != 1}
    assert not repeated, f"calls are not requests: {few(repeated.items())}"
    assert len(answered) == len(evidence.requests), f"{len(answered)} calls, {len(evidence.requests)} requests"
    reasons = Counter(json.loads(record.value)["data"].get("reason") for record in evidence.usage)
    assert not reasons["worker_lost"], f"{reasons['worker_lost']} calls recorded as lost without a kill"
