#!/usr/bin/env python3
"""The figures: the worker beside bare programs that do only the unavoidable, in one run on one machine.

  tests/bench/figures.py [cpu64] [cpu512] [cpu4000] [cpu8000] [latency] [away] [start] [--seconds N]

Installs and builds what it needs (build/bench), except the tests' venv, which tests/run.sh makes. Upstream is nginx with
its echo module on the loopback: 1 kB answers in the shape of Converse, after 0.2 s or 1 s. Ratios are printed with the raw figures and the conditions.
"""
import argparse
import json
import os
import re
import shutil
import statistics
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

BUILD = ROOT / "build" / "bench"
os.environ["BEDROCK_PROGRAMS"] = str(BUILD)

from kit import records                                                       # noqa: E402
from kit.broker import Broker, fetch_jars, free_ports                         # noqa: E402
from kit.processes import (WORK, Process, processor_seconds, resident_bytes,  # noqa: E402
                           wait_for)
from kit.services import PROGRAMS, SECRET, Simulator, Worker, access_key      # noqa: E402

FOLDER = WORK / "figures"
PARTITIONS = 16
BARE = BUILD / "tests"

ANSWER = json.dumps({"metrics": {"latencyMs": 200}, "output": {"message": {"content": [{"text": "word " * 160}],
                                                                          "role": "assistant"}},
                     "stopReason": "end_turn", "usage": {"inputTokens": 250, "outputTokens": 200, "totalTokens": 450}})

NGINX = """\
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
worker_processes 1; worker_rlimit_nofile 40000; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 20000; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type application/json;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=16384;
    location = /count {{ stub_status; }}
    location / {{ echo_read_request_body; {sleep} echo -n '{answer}'; }}
  }}
}}
"""


class Upstream:
    """nginx that answers after a while, and counts."""

    def __init__(self, name, sleep_seconds):
        self.folder, self.port = FOLDER / name, free_ports(1)[0]
        self.folder.mkdir(parents=True, exist_ok=True)
        sleep = f"echo_sleep {sleep_seconds};" if sleep_seconds else ""
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, port=self.port, sleep=sleep,
                                                             answer=ANSWER))
        self.process = Process(["/usr/sbin/nginx", "-c", self.folder / "nginx.conf"], self.folder / "nginx.log")
        if not wait_for(self.answers, 10):
            raise OSError(f"nginx does not answer:\n{self.process.text()}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def page(self):
        return urllib.request.urlopen(f"{self.url}/count", timeout=5).read().decode()

    def answers(self):
        try:
            return bool(self.page())
        except OSError:
            return False

    def served(self):
        """Requests begun so far, as nginx counts them (this question among them)."""
        return int(re.search(r"\n *\d+ +\d+ +(\d+)", self.page()).group(1))

    def connections(self):
        return int(re.search(r"Active connections: (\d+)", self.page()).group(1))


def request(number, **more):
    return {"id": f"f{number}", "model": "anthropic.claude-3-haiku-20240307-v1:0", **more,
            "messages": [["system", "You are a helpful assistant."], ["human", f"{number} " + "please " * 110]]}


def worker_settings(broker, topics, url, in_flight, guarantee="exactly_once"):
    return {"kafka": {"bootstrap_servers": broker.bootstrap, "group_id": f"{topics.prefix}.group"},
            "topics": {"requests": [topics.requests], "responses": topics.responses, "chunks": topics.chunks,
                       "usage": topics.usage, "dead_letters": topics.letters},
            "delivery": {"guarantee": guarantee, "max_in_flight": in_flight, "max_held": max(4096, in_flight * 9 // 8)},
            "bedrock": {"endpoint_url": url, "region": "us-east-1"}, "telemetry": {"log": {"format": "json"}}}


def measure(process, upstream, seconds):
    """CPU per request over a while in the middle of the work, and the memory of the process."""
    served, used, began = upstream.served(), processor_seconds(process.pid), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    count, spent = upstream.served() - served - 1, processor_seconds(process.pid) - used
    return {"requests": count, "per_second": round(count / took), "connections": upstream.connections() - 1,
            "cpu_us_per_request": round(spent / count * 1e6, 1),
            "resident_mib": round(resident_bytes(process.pid) / 2 ** 20, 1)}


def preload(broker, topics, count, **more):
    writer = records.Writer(broker.bootstrap, **{"linger.ms": 50})
    for number in range(count):
        writer.send(topics.requests, request(number, **more), key=f"k{number}".encode())
    writer.flush(300)


def cpu_of_worker(broker, upstream, name, in_flight, most, warm, seconds, **delivery):
    topics = records.Topics()
    topics.create(broker.bootstrap, PARTITIONS)
    preload(broker, topics, most, max_tokens=300)
    settings = worker_settings(broker, topics, upstream.url, in_flight)
    settings["delivery"].update(delivery)
    worker = Worker("w0", FOLDER / name, settings).start()
    wait_for(lambda: upstream.connections() > 0.9 * in_flight, 60)
    time.sleep(warm)
    found = measure(worker, upstream, seconds)
    worker.process.kill()
    print("worker     ", json.dumps(found), delivery or "")
    return found


def cpu_of_bare_client(upstream, name, in_flight, warm, seconds):
    bare = Process([BARE / "bare_client", upstream.url, str(in_flight), str(seconds + warm + 10)],
                   FOLDER / name / "bare.log",
                   {"AWS_ACCESS_KEY_ID": access_key("w0"), "AWS_SECRET_ACCESS_KEY": SECRET})
    wait_for(lambda: upstream.connections() > 0.9 * in_flight, 60)
    time.sleep(warm)
    found = measure(bare, upstream, seconds)
    bare.kill()
    print("bare client", json.dumps(found))
    return found


# Calls in flight, seconds of an answer, the most that the ratio and the resident memory in MB may be.
CPU = {"cpu64": (64, 0.2, 2.0, 0), "cpu512": (512, 1, 1.4, 0), "cpu4000": (4000, 1, 1.3, 150), "cpu8000": (8000, 1, 1.25, 230)}


def cpu(broker, in_flight, sleep_seconds, seconds, at_most, megabytes):
    name = f"cpu{in_flight}"
    print(f"\n== {name}: {in_flight} in flight, upstream answers after {sleep_seconds} s, {PARTITIONS} partitions, "
          f"1 kB requests and answers, exactly_once")
    upstream = Upstream(name, sleep_seconds)
    warm = 8 if in_flight < 1000 else 20
    most = int(min(in_flight / sleep_seconds, 8000) * (seconds + warm + 8))
    theirs = cpu_of_bare_client(upstream, name, in_flight, warm, seconds)
    ours = cpu_of_worker(broker, upstream, name, in_flight, most, warm, seconds)
    ratio = ours["cpu_us_per_request"] / theirs["cpu_us_per_request"]
    print(f"CPU per request, worker ÷ bare client at {in_flight} in flight: {ratio:.2f} (at most {at_most})")
    if in_flight < 1000:  # few requests share a transaction: what remains when ten times as many do
        rare = cpu_of_worker(broker, upstream, name, in_flight, most, warm, seconds, commit_interval="1s")
        ratio = rare["cpu_us_per_request"] / theirs["cpu_us_per_request"]
        print(f"the same with a commit_interval of 1 s: {ratio:.2f}")
    else:
        print(f"resident memory at {in_flight} in flight: {ours['resident_mib']} MiB (at most {megabytes} MB)")
    upstream.process.kill()


class Stopwatch(threading.Thread):
    """Reads the answers as they come and notes how long after its request each came."""

    def __init__(self, broker, topic):
        super().__init__(daemon=True)
        self.sent, self.took, self.ends = {}, {}, threading.Event()
        self.reader = records.consumer(broker.bootstrap, **{"fetch.wait.max.ms": 500, "fetch.error.backoff.ms": 1})
        self.reader.assign([records.TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])

    def run(self):
        while not self.ends.is_set():
            message = self.reader.poll(0.1)       # consume() would wait for more
            if message is not None and not message.error():
                name = message.key()
                if name in self.sent and name not in self.took:
                    self.took[name] = (time.perf_counter() - self.sent[name]) * 1000
        self.reader.close()


def pace(broker, topics, outputs, seconds, per_second=200):
    watch = Stopwatch(broker, outputs)
    watch.start()
    writer = records.Writer(broker.bootstrap, **{"linger.ms": 0, "acks": "all"})
    total, warm, began = per_second * seconds, per_second * 4, time.perf_counter()
    for number in range(-warm, total):
        due = began + (number + warm) / per_second
        time.sleep(max(0, due - time.perf_counter()))
        name = f"n{number}".encode()
        if number >= 0:
            watch.sent[name] = time.perf_counter()
        writer.send(topics.requests, request(number, max_tokens=300), key=name)
        writer.producer.poll(0)
    writer.flush()
    wait_for(lambda: len(watch.took) == total, 20)
    watch.ends.set()
    watch.join()
    times = sorted(watch.took.values())
    return {"answered": len(times), "p50_ms": round(statistics.median(times), 2),
            "p99_ms": round(times[int(len(times) * 0.99)], 2), "most_ms": round(times[-1], 2)}


def latency(broker, seconds):
    print(f"\n== latency: 200 requests/s for {seconds} s, {PARTITIONS} partitions, upstream answers at once, "
          "commit_interval 100 ms")
    upstream = Upstream("latency", 0)
    found = {}
    for name in ("bare_loop", "at_least_once", "exactly_once"):
        topics = records.Topics()
        topics.create(broker.bootstrap, PARTITIONS)
        if name == "bare_loop":
            process = Process([BARE / "bare_loop", broker.bootstrap, topics.requests, topics.responses,
                               f"{topics.prefix}.group"], FOLDER / "latency" / "bare_loop.log")
        else:
            process = Worker("w0", FOLDER / "latency" / name,
                             worker_settings(broker, topics, upstream.url, 256, name)).start().process
        time.sleep(6)
        found[name] = pace(broker, topics, topics.responses, seconds)
        process.kill()
        print(f"{name:14}", json.dumps(found[name]))
    for name, most in (("at_least_once", "3 ms"), ("exactly_once", "commit interval + 10 ms = 110 ms")):
        added = found[name]["p99_ms"] - found["bare_loop"]["p99_ms"]
        print(f"added latency p99, {name}: {added:.1f} ms (at most {most})")
    upstream.process.kill()


def away(broker, seconds):
    print(f"\n== away: the broker is gone for {seconds} s, answers of 1 MB, 256 in flight")
    simulator = Simulator(FOLDER / "away", {"answer_bytes": 1000000, "latency": "200ms", "ledger": {"path": ""}})
    simulator.start()
    topics = records.Topics()
    for topic in [topics.requests, *topics.outputs]:
        records.create_topic(broker.bootstrap, topic, PARTITIONS, {"max.message.bytes": "4000000"})
    preload(broker, topics, 5000)
    worker = Worker("w0", FOLDER / "away", worker_settings(broker, topics, simulator.url, 256)).start()
    wait_for(lambda: worker.events("partition_earliest"), 20)
    time.sleep(3)
    broker.kill()
    peak, end = 0, time.monotonic() + seconds
    while time.monotonic() < end and worker.runs():
        peak = max(peak, resident_bytes(worker.pid))
        time.sleep(0.2)
    bound = worker.events("memory_bound")[0]["bytes"]
    print(f"resident at most {peak / 2 ** 20:.0f} MiB; the bound logged at start is {bound / 2 ** 20:.0f} MiB; "
          f"the worker {'runs' if worker.runs() else 'ENDED'}")
    worker.process.kill()
    simulator.process.kill()
    broker.start()


def start(broker):
    """From the start of a worker to its first call: one request waits, and no earlier member's session."""
    print("\n== start: a request waits; from exec to the call, and of that from the subscription to the partitions")
    simulator = Simulator(FOLDER / "start")
    simulator.start()
    took, joins = [], []
    for number in range(9):
        topics = records.Topics()
        topics.create(broker.bootstrap, PARTITIONS)
        preload(broker, topics, 1)
        calls, began = simulator.begun(), time.monotonic()
        worker = Worker("w0", FOLDER / "start" / str(number),
                        worker_settings(broker, topics, simulator.url, 256)).start()
        wait_for(lambda: simulator.begun() > calls, pause=0.001)
        took.append((time.monotonic() - began) * 1000)
        wait_for(lambda: worker.events("ready"))
        joins.append(worker.events("ready")[0]["join_ms"])
        worker.process.kill()
    print(f"to the first call: {statistics.median(took):.0f} ms (of {min(took):.0f} to {max(took):.0f}), of which the group took "
          f"{statistics.median(joins):.0f} ms; without it at most 100 ms")
    simulator.process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=[*CPU, "latency", "away", "start", []])
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    wanted = options.what or [*CPU, "latency", "away", "start"]
    subprocess.run([ROOT / "deploy" / "packages.sh", "bench"], check=True)
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DBEDROCK_TESTS=ON"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", BUILD, "--target", "bedrock-worker", "bedrock-sim", "bare_client", "bare_loop"],
                   check=True, stdout=subprocess.DEVNULL)
    missing = fetch_jars(print)
    if missing:
        sys.exit(f"no Apache Kafka: {missing}")
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} cores ({processor.group(1) if processor else 'unknown'}), programs of {PROGRAMS}, "
          f"Apache Kafka from Maven's jars on the same machine")
    shutil.rmtree(FOLDER, ignore_errors=True)
    broker = Broker(FOLDER / "broker", {"authorizer.class.name": ""}, heap="1g")
    broker.format()
    broker.start()
    try:
        for name, (in_flight, sleep_seconds, most, megabytes) in CPU.items():
            if name in wanted:
                cpu(broker, in_flight, sleep_seconds, options.seconds, most, megabytes)
        if "latency" in wanted:
            latency(broker, options.seconds)
        if "away" in wanted:
            away(broker, max(30, options.seconds))
        if "start" in wanted:
            start(broker)
    finally:
        broker.kill()
        broker.wipe()


main()
