"""A real worker's metrics: what a scrape shows, promtool's opinion, and a real Prometheus with the dashboard's queries."""
import json
import shutil
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from kit import records
from kit.broker import free_ports
from kit.processes import Process, wait_for
from kit.world import World
from metrics import RULES, metrics, queries

needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None or shutil.which("promtool") is None,
                                      reason="Prometheus is missing (deploy/packages.sh test)")
# Nothing to show in this world: keys that do not end, targets and log lines without trouble, spans.
QUIET = {"Credentials end in", "Cost an hour", "Targets that rest", "Warnings and errors", "Spans"}


def get(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read().decode()


def samples(text):
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[:1] != "#"}


def metered(port):
    return {"telemetry": {"http": {"address": f"127.0.0.1:{port}"}}}


def owners(world):
    return records.owners_of(world.broker.bootstrap, world.group)


class Scraper:
    """Scrapes without a pause until it ends; every scrape must be whole."""

    def __init__(self, port):
        self.port, self.count, self.ends = port, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.problem = None

    def run(self):
        try:
            while not self.ends.is_set():
                assert "bedrock_worker_build_info" in get(self.port)
                self.count += 1
        except Exception as problem:
            self.problem = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        assert self.problem is None and self.count > 0, self.problem


def shows(found, metric):
    return any(name == metric.name or name.startswith((f"{metric.name}{{", f"{metric.name}_count")) for name in found)


def prometheus(folder, port, target):
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)],
              "scrape_configs": [{"job_name": "bedrock-worker", "static_configs": [{"targets": [target]}]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    return Process(["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log")


def ask(port, expression):
    for name, value in (("$__rate_interval", "10s"), ("$job", ".*"), ("$instance", ".*")):
        expression = expression.replace(name, value)
    answer = json.loads(get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def is_up(port):
    try:
        return bool(ask(port, 'rate(bedrock_worker_requests_finished_total[10s]) > 0'))
    except OSError:
        return False


def health(port):
    groups = json.loads(get(port, "/api/v1/rules"))["data"]["groups"]
    return {rule["health"] for group in groups for rule in group["rules"]}


def test_a_scrape_during_rebalances_is_whole_and_its_counts_are_the_topics(broker, folder):
    port, = free_ports(1)
    with World(broker, folder) as world:
        world.worker("w0", **metered(port))
        world.ask_many(40, keys=8)
        world.ask("wrong", top_p=7)
        world.writer.flush()
        world.await_answers()
        with Scraper(port):
            world.worker("w1")
            assert wait_for(lambda: owners(world) == 2)
            world.workers["w1"].stop()
            assert wait_for(lambda: owners(world) == 1)
        world.ask_many(10, prefix="s")
        world.await_answers()
        lag = "bedrock_worker_partition_backlog"
        assert wait_for(lambda: sum(value for name, value in samples(get(port)).items() if name.startswith(lag)) == 0)
        found = samples(get(port))
        booked = [record.json()["data"] for record in world.read(world.topics.usage)]
        total = sum(value for name, value in found.items() if name.startswith("bedrock_worker_usage_records_total"))
        tokens = sum(value for name, value in found.items() if name.startswith("bedrock_worker_tokens_total")
                     and 'kind="input"' in name)
        assert total <= len(booked) and tokens <= sum(one["usage"]["input_tokens"] for one in booked)
        failed = {name: value for name, value in found.items()
                  if name.startswith("bedrock_worker_requests_finished_total") and '"ok"' not in name}
        assert list(failed.values()) == [1] and world.error_codes().keys() == {"invalid"}, failed
        assert found["bedrock_worker_usage_unpublished_tokens"] == 0
        assert found['bedrock_worker_rebalances_total{kind="assigned"}'] >= 2
        assert found['bedrock_worker_rebalances_total{kind="lost"}'] == 0
        assert found['bedrock_worker_events_total{event="fenced_twice"}'] == 0
        world.end()


@needs_prometheus
def test_prometheus_reads_a_worker_and_every_query_of_the_dashboard_has_an_answer(broker, folder):
    port, own = free_ports(2)
    with World(broker, folder) as world:
        world.worker("w0", **metered(port))
        world.ask_many(5, prefix="warm", stream=True)
        world.await_answers()
        server = prometheus(folder, own, f"127.0.0.1:{port}")
        try:
            rounds = iter(range(1000))
            assert wait_for(lambda: world.ask_many(3, prefix=f"p{next(rounds)}-", stream=True) or is_up(own))
            world.await_answers()
            world.ask("long", directive="latency=3s")
            world.writer.flush()
            assert wait_for(lambda: 'state="calling"} 1' in get(port))
            text = get(port)
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
            assert {metric.name for metric in metrics() if not shows(samples(text), metric)} <= {
                "bedrock_worker_credentials_expiry_timestamp_seconds", "bedrock_worker_spans_total",
                "bedrock_worker_cost_total", "bedrock_worker_unpriced_calls_total", "bedrock_worker_requests_moved_total",
                "bedrock_worker_quota_rate", "bedrock_worker_quota_wait_seconds"}
            world.await_answers()
            empty = {title for title, expression in queries()
                     if "requests_moved_total" not in expression and not ask(own, expression)}     # nothing has moved
            assert empty - QUIET == set()
            assert wait_for(lambda: health(own) == {"ok"})
        finally:
            assert server.stop() == 0
        world.must_be_graceful()
