"""One test's world: its topics, a simulator with a ledger, some workers, a concurrent reader, and the audit at the end.

A world is a context manager: it always ends what it started. At a good end it searches the logs of all workers for
prompts and secrets.
"""
import json
import os
import time
from collections import Counter

from kit import offsets, records
from kit.auditor import Blow, Evidence, audit, must_be_clean, must_be_graceful, name_calls
from kit.logfiles import topic_logs
from kit.processes import PATIENCE, wait_for
from kit.services import MODEL, PROMPT, SECRET, Simulator, Worker, merged

# Of the offset map (offset_map.c), by index in its symbols.
MAP_HEAD = 30
MAP_SYMBOLS = "".join(chr(byte) for byte in range(ord("!"), ord("~") + 1) if chr(byte) not in '"\\')
MAP_OPEN_RUN, MAP_RUNNING = 28, 18


def chat(name, text="Say something.", directive="", **fields):
    """A request whose marker the simulator writes into its ledger."""
    prompt = f"[[id:{name}]] {text} {PROMPT}"
    if directive:
        prompt += f" [[sim:{directive}]]"
    return {"id": name, "model": MODEL, "messages": [["human", prompt]], **fields}


class World:
    def __init__(self, broker, folder, simulator=None, partitions=4, request_partitions=None, settings=None):
        self.broker, self.folder = broker, folder
        self.topics = records.Topics()
        self.group = f"{self.topics.prefix}.group"
        self.partitions, self.request_partitions = partitions, request_partitions or partitions
        self.simulator = Simulator(folder, simulator)
        self.settings = merged({
            "kafka": {"bootstrap_servers": broker.bootstrap, "group_id": self.group, "session_timeout": "20s",
                      "transaction_timeout": "30s"},
            "topics": {"requests": [self.topics.requests], "responses": self.topics.responses,
                       "chunks": self.topics.chunks, "usage": self.topics.usage,
                       "dead_letters": self.topics.letters, "budgets": self.topics.budgets},
            "bedrock": {"endpoint_url": self.simulator.url, "region": "us-east-1",
                        "start_rate": 0,
                        "retry": {"throttle_base": "50ms", "transient_base": "20ms", "max_delay": "1s"}},
            "telemetry": {"log": {"format": "json"}, "http": {"address": ""}}}, settings or {})
        self.workers, self.blows, self.outages = {}, [], []
        self.asked, self.watcher, self.writer = [], None, None
        self.calls = None

    def __enter__(self):
        self.topics.create(self.broker.bootstrap, self.partitions, self.request_partitions)
        self.simulator.start()
        self.writer = records.Writer(self.broker.bootstrap)
        self.watcher = records.ConcurrentReader(self.broker.bootstrap, self.topics.outputs)
        self.watcher.start()
        return self

    def __exit__(self, kind, error, trace):
        for worker in self.workers.values():
            if worker.runs():
                worker.process.kill()
        if self.watcher:
            self.watcher.ends.set()
        if self.simulator.process:
            self.simulator.process.kill()
        if kind is None:
            self.logs_are_clean()

    # Events

    def worker(self, name="w0", is_named=True, environment=None, program=None, **settings):
        """Starts a worker (again, when it ran before)."""
        if name not in self.workers:
            self.workers[name] = Worker(name, self.folder, merged(self.settings, settings), environment, is_named,
                                        program)
        return self.workers[name].start()

    def ask(self, name, text="Say something.", key=None, headers=None, partition=-1, directive="", **fields):
        self.asked.append(name)
        self.writer.send(self.topics.requests, chat(name, text, directive, **fields), key, headers, partition)

    def ask_many(self, count, prefix="r", keys=0, **fields):
        for number in range(count):
            key = f"key-{number % keys}".encode() if keys else None
            self.ask(f"{prefix}{number}", key=key, **fields)
        self.writer.flush()

    def kill(self, name):
        at = self.workers[name].kill()
        self.blows.append(Blow(name, at))

    def be_away(self, seconds, while_away=lambda: None):
        """Ends all brokers, and starts them again later."""
        began, end = time.time() * 1000, time.monotonic() + seconds
        self.broker.kill()
        while time.monotonic() < end:
            while_away()
            time.sleep(0.5)
        self.broker.start()
        self.outages.append((began, time.time() * 1000))

    def members(self):
        """How many workers the group has now."""
        return records.members_of(self.broker.bootstrap, self.group)

    def await_owners(self, count):
        """Waits until so many workers own partitions and have answered from them."""
        assert wait_for(lambda: records.owners_of(self.broker.bootstrap, self.group) == count)
        before = self.answered()
        assert wait_for(lambda: self.answered() > before + 50)

    def has_begun(self, times, count=1):
        """Whether the committed offset map of partition 0 has this many begun calls of the first `count` open requests,
        the last of them still running."""
        place = self.topics.requests, 0
        _, text = offsets.committed(self.broker.bootstrap, self.group, [place])[place]
        kind = MAP_RUNNING + times
        runs = MAP_SYMBOLS[kind] if count == 1 else MAP_SYMBOLS[MAP_OPEN_RUN + kind] + MAP_SYMBOLS[count]
        return text[MAP_HEAD:].startswith(runs)

    def answered(self):
        return self.watcher.count(self.topics.responses)

    def await_answers(self, count=None):
        """Waits until all answers are there: up to two minutes for each next one."""
        wanted = len(self.asked) if count is None else count
        seen = -1
        while seen < self.answered() < wanted:
            seen = self.answered()
            wait_for(lambda: self.answered() > seen)
        if self.answered() < wanted:
            logs = "\n".join(f"--- {worker.name}\n{worker.text()[-1500:]}" for worker in self.workers.values())
            raise TimeoutError(f"{self.answered()} of {wanted} responses seen, and no more in two minutes, "
                               f"{self.simulator.begun()} calls begun, {len(self.read(self.topics.responses))} responses "
                               f"read afresh\n{logs}")

    def stop_workers(self):
        for worker in self.workers.values():
            if worker.runs():
                worker.stop()

    def make_again(self, topic, **config):
        """Recreates a topic with one partition and these settings; its readers restart."""
        records.delete_topic(self.broker.bootstrap, topic)
        records.create_topic(self.broker.bootstrap, topic, 1, config)
        self.watcher.end()
        self.watcher = records.ConcurrentReader(self.broker.bootstrap, self.topics.outputs)
        self.watcher.start()

    # Results

    def end(self):
        """Stops everything but the broker; afterwards the ledger and the topics are complete."""
        self.stop_workers()
        self.simulator.stop()
        time.sleep(0.3)
        self.watcher.end()
        self.calls = self.simulator.calls()
        booked = [record.json()["data"] for record in self.read(self.topics.usage)]
        name_calls(self.calls, [data for data in booked if data.get("reason") != "worker_lost"])

    def read(self, topic):
        return records.read_all(self.broker.bootstrap, [topic])

    def responses(self):
        return {record.json()["id"]: record.json() for record in self.read(self.topics.responses)}

    def evidence(self, **more):
        responses, usage = self.read(self.topics.responses), self.read(self.topics.usage)
        rest = self.read(self.topics.chunks) + self.read(self.topics.letters)
        if not more.get("may_double"):  # else an answer may have no usage: its worker died between the two
            records.keep(os.environ.get("BEDROCK_OUTPUT_DIR"), self.topics, responses + usage + rest)
        topics = [self.topics.requests, self.topics.responses, self.topics.usage, self.topics.letters]
        found = Evidence(self.asked, responses, usage, self.calls,
                         seen=[r for r in self.watcher.records
                               if r.topic in (self.topics.responses, self.topics.usage)],
                         committed_ms=self.commit_times(responses), blows=self.blows, outages=self.outages,
                         states=records.partition_states(self.broker.bootstrap, topics, self.group),
                         request_topics=(self.topics.requests,))
        for name, value in more.items():
            setattr(found, name, value)
        return found

    def commit_times(self, responses):
        if not self.broker.data:
            return {}
        logs = topic_logs(self.broker.data, self.topics.responses)
        return {record.place: logs[record.partition].commit_ms(record.offset) for record in responses}

    def aborted_records(self):
        return sum(log.aborted_records() for topic in self.topics.outputs
                   for log in topic_logs(self.broker.data, topic).values())

    def must_be_clean(self, **more):
        self.end()
        evidence = self.evidence(**more)
        must_be_clean(evidence)
        return evidence

    def must_be_graceful(self, **more):
        self.end()
        evidence = self.evidence(**more)
        must_be_graceful(evidence)
        return evidence

    def faults(self, **more):
        return audit(self.evidence(**more))

    def logs_are_clean(self):
        for worker in self.workers.values():
            text = worker.text()
            for canary in (PROMPT, SECRET):
                assert canary not in text, f"{canary} stands in the log of {worker.name}: {worker.log}"
            for mark in ("AddressSanitizer", "runtime error:", "ThreadSanitizer", "a check failed"):
                assert mark not in text, f"{mark} in {worker.log}:\n{text[-3000:]}"

    def error_codes(self):
        return Counter(value["error"]["code"] for value in self.responses().values() if value["status"] == "error")

    def usage_by_request(self):
        found = {}
        for record in self.read(self.topics.usage):
            data = json.loads(record.value)["data"]
            found.setdefault(data["request_id"], []).append(data)
        return found
