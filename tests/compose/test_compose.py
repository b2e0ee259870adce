"""docker-compose.yml as it is, with the stand-ins of containers.py: it comes up, answers, loses nothing when a worker and
the broker are killed, and goes down clean. The tests are the stages of one run, in this order."""
import http.client
import json
import os
import re

import pytest

import containers
from containers import compose, docker, wait_for
from kit.broker import free_ports

PROJECT = f"bedrock-test-{os.getpid()}"
PORTS = ("KAFKA_PORT", "SIM_PORT", "WORKER_1_PORT", "WORKER_2_PORT")
ROW = re.compile(r"\ball +([\d,]+) +([\d,]+) +(\d+) +(\d+) +([\d,]+) +([\d,]+) +(\d+)$", re.M)


class System:
    def __init__(self):
        self.variables = {**dict(zip(PORTS, free_ports(len(PORTS)), strict=True)), "KILL_EVERY": 15, "LOAD_RATE": 10}

    def compose(self, *words, **options):
        return compose(*words, project=PROJECT, variables=self.variables, **options)

    def name(self, service):
        return f"{PROJECT}-{service}-1"

    def log(self, service, lines="all"):
        done = docker("logs", "--tail", lines, self.name(service), check=False)
        return done.stdout + done.stderr

    def state(self, service):
        return json.loads(docker("container", "inspect", self.name(service)).stdout)[0]["State"]

    def table(self):
        """Of the load: asked, answered, errors, open, tokens in, tokens out, calls lost."""
        rows = ROW.findall(self.log("load"))
        return [int(text.replace(",", "")) for text in rows[-1]] if rows else [0] * 7

    def answered(self):
        return self.table()[1]

    def await_answers(self, more):
        before = self.answered()
        wait_for(lambda: self.answered() >= before + more,
                 lambda: f"{more} answers beyond {before}\n{self.log('load', '20')}\n{self.log('worker-1', '20')}")


@pytest.fixture(scope="module")
def system(images):
    system = System()
    yield system
    system.compose("down", "-v", "--timeout", "0", check=False)


def test_the_system_comes_up_and_answers(system):
    system.compose("up", "-d")
    topics = system.state("topics")
    assert (topics["Status"], topics["ExitCode"]) == ("exited", 0)
    assert system.log("topics").count("created  ") == 5
    system.await_answers(30)
    shown = system.log("load")
    assert re.search(r"^(acme|globex|initech) .* -> Answer to: ", shown, re.M)
    assert system.table()[2] == 0
    assert all(re.search(rf"^{tenant} +[1-9]", shown, re.M) for tenant in ("acme", "globex", "initech"))


def test_only_the_loopback_reaches_it(system):
    for service in ("kafka", "sim", "worker-1", "worker-2"):
        bound = docker("port", system.name(service)).stdout
        assert bound and all(line.split(" -> ")[1].startswith("127.0.0.1:") for line in bound.splitlines()), bound


def test_the_health_check_finds_the_workers_ready(system):
    wait_for(lambda: system.state("worker-1")["Health"]["Status"] == "healthy",
             lambda: json.dumps(system.state("worker-1")["Health"]))


def test_metrics_are_for_this_machine_and_for_prometheus_by_name(system):
    port = system.variables["WORKER_1_PORT"]
    for host, status in ((f"127.0.0.1:{port}", 200), ("worker-1:9464", 200), ("elsewhere.example", 421)):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asked.request("GET", "/metrics", headers={"Host": host})
        answer = asked.getresponse()
        assert answer.status == status, host
        assert status != 200 or b"\nprocess_start_time_seconds " in answer.read()


def test_a_killed_worker_loses_nothing(system):
    docker("kill", system.name("worker-1"))
    assert system.state("worker-1")["ExitCode"] == 137
    system.await_answers(30)
    docker("start", system.name("worker-1"))
    wait_for(lambda: "bedrock.requests-" in system.log("worker-1", "20"), "partitions for the worker that is back")


def test_a_killed_broker_loses_nothing(system):
    docker("kill", system.name("kafka"))
    assert system.state("kafka")["ExitCode"] == 137
    docker("start", system.name("kafka"))
    system.await_answers(30)


def test_a_worker_that_is_killed_again_and_again_is_started_again(system):
    wait_for(lambda: docker("container", "inspect", "-f", "{{.RestartCount}}", system.name("worker-2")).stdout.strip() != "0",
             "a restart of worker-2")


def test_the_load_ends_with_one_answer_for_each_request(system):
    docker("kill", "--signal", "TERM", system.name("load"))
    wait_for(lambda: system.state("load")["Status"] == "exited", lambda: "the end of the load\n" + system.log("load", "30"))
    shown = system.log("load", "12")
    assert system.state("load")["ExitCode"] == 0, shown
    assert "each answered once: nothing is lost, nothing is there twice" in shown
    asked, answered, errors, left, *_, lost = system.table()
    assert asked == answered and (errors, left) == (0, 0)
    assert lost > 0, "no call was lost with a worker, so nothing was tried"
    containers.say(shown.strip())


def test_it_goes_down_clean(system):
    system.compose("stop")
    assert {name: system.state(name)["ExitCode"] for name in ("worker-1", "sim")} == {"worker-1": 0, "sim": 0}
    system.compose("down", "-v")
    label = f"label=com.docker.compose.project={PROJECT}"
    assert docker("ps", "-aq", "--filter", label).stdout == ""
    assert docker("volume", "ls", "-q", "--filter", label).stdout == ""
    assert docker("network", "ls", "-q", "--filter", label).stdout == ""
