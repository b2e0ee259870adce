#!/usr/bin/env python3
"""Figures at scale, with a real Kafka and the local Bedrock: memory and counts, which hold on a busy machine; times say so.

  tests/bench/scale.py [memory] [growth] [hot] [large] [partitions] [replies] [streams] [turns] [--requests N] [--calls N …]
                       [--streams N]

  memory      resident memory with 4,000 and 8,000 calls in flight, 1 kB answers
  growth      resident memory after N requests (default 5,000,000) ÷ after 100,000
  hot         calls in flight of one busy partition among 1,000, requests of 1, 20 and 100 kB
  large       time of 200 answers, 25 % of them too large for their topic, beyond that when all fit
  partitions  resident memory with 1,000 partitions, a backlog of 2,000 records of 400 B in each, and the bound logged: with
              the producer's batches of 16 KiB, and with one batch for each backlog
  replies     3,000 reply topics asked for, of which 200 exist: time beside the same without, p99 of others, growth
  streams     N streams open (default 15,000) that bring two thirds as many chunks a second: chunks lost, CPU of a chunk
  turns       CPU time of the longest turn of the loop: 4,000 partitions, 300 requests a second, another worker comes and
              goes three times (turn_clock.c)

Programs: $BEDROCK_PROGRAMS, else build/release (cmake --build --preset release). Each part has its own topics and group;
the broker lives in build/kafka/scale and is removed at the end.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
VENV = ROOT / "build" / "venv" / "bin" / "python"
if VENV.exists() and sys.prefix == sys.base_prefix:
    os.execv(VENV, [str(VENV), *sys.argv])

from confluent_kafka.admin import NewTopic                                  # noqa: E402

from kit import records                                                      # noqa: E402
from kit.broker import Broker, fetch_jars, free_ports                        # noqa: E402
from kit.offsets import committed                                            # noqa: E402
from kit.processes import WORK, processor_seconds, resident_bytes, wait_for  # noqa: E402
from kit.services import Simulator, Worker                                   # noqa: E402

FOLDER = WORK / os.environ.get("SCALE_FOLDER", "scale")
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
MIB = 2 ** 20


class Trial:
    """A worker with topics, a simulator and a page for metrics of its own."""

    def __init__(self, broker, name, simulator, partitions=16, request_partitions=None, topics=None, **delivery):
        self.broker, self.name = broker, name
        self.port, = free_ports(1)
        self.simulator = Simulator(FOLDER / name, {"ledger": {"path": ""}, **simulator}).start()
        self.topics = topics or records.Topics()
        if topics is None:
            self.topics.create(broker.bootstrap, partitions, request_partitions or partitions)
        self.settings = {
            "kafka": {"bootstrap_servers": broker.bootstrap, "group_id": f"{self.topics.prefix}.group",
                      "start": "earliest"},
            "topics": {"requests": [self.topics.requests], "responses": self.topics.responses,
                       "chunks": self.topics.chunks, "usage": self.topics.usage, "dead_letters": self.topics.letters},
            "delivery": delivery, "bedrock": {"endpoint_url": self.simulator.url, "region": "us-east-1"},
            "telemetry": {"log": {"format": "json"}, "http": {"address": f"127.0.0.1:{self.port}"}}}
        self.worker = Worker("w0", FOLDER / name, self.settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.worker.runs():
            self.worker.process.kill()
        self.simulator.process.kill()

    def ask(self, count, size=1000, partition=-1, directive="", first=0, **more):
        writer = records.Writer(self.broker.bootstrap, **{"linger.ms": 20, "queue.buffering.max.kbytes": 1048576})
        for number in range(first, first + count):
            said = directive(number) if callable(directive) else directive
            text = f"{number} " + (f"[[sim:{said}]] " if said else "")
            value = json.dumps({"id": f"s{number}", "model": MODEL, **more,
                                "messages": [["human", text + "x" * max(0, size - len(text) - 120)]]}).encode()
            writer.send(self.topics.requests, value, partition=partition)
        writer.flush(600)

    def metric(self, name, without=None):
        """The sum of a metric's samples, without those with this label; 0 while the worker has no page yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if re.match(rf"bedrock_worker_{name}[{{ ]", line) and (without is None or without not in line))

    def answered(self):
        return self.metric("requests_finished_total")

    def resident(self):
        return resident_bytes(self.worker.pid)


def memory(broker, calls):
    held = calls * 9 // 8
    with Trial(broker, f"memory{calls}", {"latency": "4s", "answer_bytes": 1000}, max_in_flight=calls, max_held=held) as trial:
        trial.ask(calls * 8)
        trial.worker.start()
        most, open_most, end = 0, 0, time.monotonic() + 60
        while time.monotonic() < end:
            open_most = max(open_most, trial.metric("calls_in_flight"))
            most = max(most, trial.resident())
            time.sleep(1)
        print(f"{calls} in flight: at most {open_most:.0f} calls seen open, resident at most {most / MIB:.0f} MiB "
              f"({most / 1e6:.0f} MB)")


def growth(broker, requests):
    with Trial(broker, "growth", {"latency": "20ms", "answer_bytes": 1000}) as trial:
        trial.worker.start()
        asked, weights = 0, {}
        for mark in (100_000, requests):
            while asked < mark:
                trial.ask(min(20_000, mark - asked), 300, first=asked)
                asked += min(20_000, mark - asked)
                wait_for(lambda: trial.answered() >= asked - 5_000, 600)
            wait_for(lambda: trial.answered() >= asked, 600)
            weights[mark] = trial.resident()
            print(f"after {mark:,} requests: {weights[mark] / MIB:.1f} MiB")
        print(f"ratio {weights[requests] / weights[100_000]:.3f} (at most 1.05)")


def hot(broker, partitions=1000):
    for size in (1_000, 20_000, 100_000):
        with Trial(broker, f"hot{size}", {"latency": "5s"}, request_partitions=partitions) as trial:
            trial.ask(1200 if size < 100_000 else 600, size, partition=7)
            trial.worker.start()
            most, end = 0, time.monotonic() + 60
            while time.monotonic() < end and most < 256:
                most = max(most, trial.metric("calls_in_flight"))
                time.sleep(0.5)
            print(f"one busy partition among {partitions}, requests of {size} bytes: {most:.0f} of 256 calls open (at least 240)")


def large(broker):
    took = {}
    for name, directive in (("all fit", ""), ("25 % too large", lambda number: "bytes=30000" if number % 4 == 0 else "")):
        with Trial(broker, f"large{len(took)}", {"latency": "200ms", "answer_bytes": 1000}) as trial:
            records.delete_topic(broker.bootstrap, trial.topics.responses)
            records.create_topic(broker.bootstrap, trial.topics.responses, 16, {"max.message.bytes": "20000"})
            trial.worker.start()
            wait_for(lambda: trial.worker.events("ready"))
            trial.ask(16)
            wait_for(lambda: trial.answered() >= 16)
            began = time.monotonic()
            trial.ask(200, directive=directive, first=16)
            wait_for(lambda: trial.answered() >= 216, pause=0.05)
            took[name] = time.monotonic() - began
            aborts = trial.metric("batches_total", without='outcome="committed"')
            print(f"200 answers, {name}: {took[name]:.2f} s, {aborts:.0f} transactions without a commit")
    print(f"beyond the time when all fit: {took['25 % too large'] - took['all fit']:.2f} s (at most 1)")


def partitions(broker, count=1000, each=2000):
    value = json.dumps({"model": MODEL, "messages": [["human", "y" * 300]]}).encode()
    for name, batch, size in (("of 16 KiB", 40, "16384"), ("with a whole backlog", each, "1000000")):
        with Trial(broker, f"partitions{batch}", {"latency": "2s", "answer_bytes": 1000}, request_partitions=count) as trial:
            writer = records.Writer(broker.bootstrap, **{"linger.ms": 500, "batch.size": size,
                                                         "queue.buffering.max.kbytes": 1048576})
            for _ in range(each // batch):
                for partition in range(count):
                    for _ in range(batch):
                        writer.send(trial.topics.requests, value, partition=partition)
                    if partition % 100 == 99:
                        writer.flush(900)
                        writer.placed.clear()
            partitions_with(trial, broker, count, name)


def partitions_with(trial, broker, count, name, seconds=120):
    trial.worker.start()
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, trial.resident())
        time.sleep(0.5)
    bound = trial.worker.events("memory_bound")[-1]
    places = [(trial.topics.requests, partition) for partition in range(count)]
    begun = sum(offset > 0 for offset, _ in committed(broker.bootstrap, trial.settings["kafka"]["group_id"], places).values())
    print(f"{count} partitions, batches {name}: resident at most {most / 1e6:.0f} MB (at most 400); the bound logged for "
          f"{bound['partitions']} partitions is {bound['bytes'] / 1e6:.0f} MB; after {seconds} s {trial.answered():.0f} "
          f"answered, of {begun} partitions; CPU {processor_seconds(trial.worker.pid):.1f} s", flush=True)


def streams(broker, count):
    """All streams are open at once; a piece of each every 1.5 s."""
    gap, pieces = 1.5, 120
    with Trial(broker, "streams", {"latency": "uniform(0ms, 1500ms)", "gap": "1500ms", "answer_bytes": 6 * pieces},
               max_in_flight=count, max_held=count * 9 // 8) as trial:
        trial.ask(count, 300, stream=True)
        trial.worker.start()
        wait_for(lambda: trial.metric("calls_in_flight") >= count * 0.97, 300)
        time.sleep(gap)
        begun_ms, used = time.time() * 1000, processor_seconds(trial.worker.pid)
        open_least, most = count, 0
        while time.time() * 1000 < begun_ms + 30000:
            open_least, most = min(open_least, trial.metric("calls_in_flight")), max(most, trial.resident())
            time.sleep(2)
        ended_ms, used = time.time() * 1000, processor_seconds(trial.worker.pid) - used
        wait_for(lambda: trial.answered() >= count, 600)
        runs, chunks = chunks_of(broker, trial, begun_ms, ended_ms)
        whole = sum(run == list(range(len(run))) and ends for run, ends in runs.values())
        print(f"{count} streams, at least {open_least:.0f} open for 30 s: {chunks / (ended_ms - begun_ms) * 1000:.0f} chunks/s, "
              f"{used / max(chunks, 1) * 1e6:.0f} us of CPU a chunk, resident at most {most / 1e6:.0f} MB; "
              f"{len(runs)} runs, {len(runs) - whole} with a chunk missing (none)", flush=True)


def turns(broker, count=4000):
    clock, report = FOLDER / "turn_clock.so", FOLDER / "turns.txt"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-o", clock, Path(__file__).with_name("turn_clock.c")],
                   check=True)
    with Trial(broker, "turns", {"latency": "500ms", "answer_bytes": 1000}, request_partitions=count) as trial:
        trial.settings["kafka"]["session_timeout"] = "10s"
        worker = Worker("w0", FOLDER / "turns", trial.settings, {"LD_PRELOAD": str(clock), "TURN_CLOCK": str(report)})
        trial.worker = worker.start()
        wait_for(lambda: worker.events("ready"), 300)
        stream = Stream(trial, 300)
        stream.start()
        wait_for(lambda: trial.answered() > 300, 300)
        print(f"{count} partitions, until the first answers: {longest(report)}", flush=True)
        report.unlink()
        for name in ("w1", "w2", "w3"):
            other = Worker(name, FOLDER / "turns", {**trial.settings, "telemetry": {"log": {"format": "json"}}}).start()
            wait_for(lambda: records.owners_of(broker.bootstrap, trial.settings["kafka"]["group_id"]) == 2, 300)
            time.sleep(3)
            other.process.stop()
            wait_for(lambda: records.owners_of(broker.bootstrap, trial.settings["kafka"]["group_id"]) == 1, 300)
            time.sleep(3)
        stream.end()
        print(f"{count} partitions, {stream.count} requests, six rebalances: {longest(report)} (at most 10)", flush=True)


def longest(report):
    microseconds, turn, seconds = report.read_text().splitlines()[-1].split()
    when = time.strftime("%H:%M:%S", time.gmtime(int(seconds)))
    return f"the longest turn took {int(microseconds) / 1000:.1f} ms of CPU: turn {turn}, {when}"


class Stream(threading.Thread):
    """Requests at a steady rate, to all partitions."""

    def __init__(self, trial, per_second):
        super().__init__(daemon=True)
        self.trial, self.per_second, self.count, self.ends = trial, per_second, 0, threading.Event()
        self.writer = records.Writer(trial.broker.bootstrap, **{"linger.ms": 20})

    def run(self):
        while not self.ends.wait(1 / self.per_second):
            self.writer.send(self.trial.topics.requests, {"model": MODEL, "messages": [["human", "y" * 300]]},
                             key=str(self.count).encode())
            self.count += 1

    def end(self):
        self.ends.set()
        self.join(60)
        self.writer.flush(120)


def chunks_of(broker, trial, begun_ms, ended_ms):
    """{run: (its numbers, whether its last is there)}, and how many chunks were written in that time."""
    runs, count = {}, 0
    for record in records.read_all(broker.bootstrap, [trial.topics.chunks], seconds=600):
        chunk = record.json()
        numbers, ends = runs.get(chunk["run"], ([], False))
        numbers.append(chunk["seq"] if "gap" not in chunk else -1)
        runs[chunk["run"]] = numbers, ends or chunk["last"]
        count += begun_ms <= record.timestamp_ms < ended_ms
    return runs, count


def replies(broker, asked=3000, there=200):
    """Requests that name `asked` reply topics, beside a steady stream of others; the second round names others again."""
    with Trial(broker, "replies", {"latency": "50ms", "answer_bytes": 100}) as trial:
        trial.settings["topics"]["reply_allowed"] = ["reply.*"]
        trial.worker.file.write_text(json.dumps(trial.settings))
        client = records.admin(broker.bootstrap)
        for future in client.create_topics([NewTopic(f"reply.{number}", 1, 1) for number in range(there)]).values():
            future.result(120)
        reader = records.ConcurrentReader(broker.bootstrap, [trial.topics.responses])
        reader.start()
        trial.worker.start()
        trial.ask(50)
        wait_for(lambda: trial.answered() >= 50)
        done, residents = 50, []
        for name, topic in (("without", None), ("with", "reply.{}"), ("with, others", "reply.{}.again")):
            done, seconds, p99 = reply_round(trial, reader, done, asked, there, topic)
            residents.append(trial.resident())
            print(f"{asked} requests {name} reply topics: {seconds:.2f} s; p99 of others {p99 * 1000:.0f} ms")
        print(f"growth of the last round: {(residents[2] - residents[1]) / 1e6:.2f} MB (at most 1)")
        reader.end()


def reply_round(trial, reader, done, asked, there, topic):
    """Sends the requests, and meanwhile others whose time it measures."""
    writer = records.Writer(trial.broker.bootstrap)
    began, sent = time.monotonic(), {}
    for number in range(asked):
        value = {"id": f"{done}.{number}", "model": MODEL, "messages": [["human", "y" * 50]]}
        if topic:
            value["reply_to"] = f"reply.{number}" if number < there else topic.format(number)
        writer.send(trial.topics.requests, value)
        if number % 30 == 0:
            sent[f"other.{done}.{number}"] = time.time() * 1000
            writer.send(trial.topics.requests,
                        {"id": f"other.{done}.{number}", "model": MODEL, "messages": [["human", "z"]]})
            writer.producer.flush(10)
    writer.flush(120)
    done += asked + len(sent)
    wait_for(lambda: trial.answered() >= done, pause=0.05)
    seconds = time.monotonic() - began
    wait_for(lambda: sum(record.json()["id"] in sent for record in reader.of(trial.topics.responses)) == len(sent))
    times = sorted(record.seen_ms - sent[record.json()["id"]] for record in reader.of(trial.topics.responses)
                   if record.json()["id"] in sent)
    return done, seconds, times[int(len(times) * 0.99)] / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["memory", "growth", "hot", "large", "partitions", "replies", "streams", "turns", []])
    parser.add_argument("--requests", type=int, default=5_000_000)
    parser.add_argument("--calls", type=int, nargs="+", default=[4000, 8000])
    parser.add_argument("--streams", type=int, default=15_000)
    options = parser.parse_args()
    wanted = options.what or ["memory", "growth", "hot", "large", "partitions", "replies", "streams", "turns"]
    missing = fetch_jars(print)
    if missing:
        sys.exit(f"no Apache Kafka: {missing}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    broker = Broker(FOLDER / "broker", {"authorizer.class.name": ""}, heap="1g")
    broker.format()
    broker.start()
    try:
        for calls in options.calls if "memory" in wanted else []:
            memory(broker, calls)
        if "growth" in wanted:
            growth(broker, options.requests)
        if "hot" in wanted:
            hot(broker)
        if "large" in wanted:
            large(broker)
        if "partitions" in wanted:
            partitions(broker)
        if "replies" in wanted:
            replies(broker)
        if "streams" in wanted:
            streams(broker, options.streams)
        if "turns" in wanted:
            turns(broker)
    finally:
        broker.kill()
        broker.wipe()


main()
