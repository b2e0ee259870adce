"""A running worker's pages, and the commands that read them: status, explain, health."""
import contextlib
import http.server
import json
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from confluent_kafka import Producer

from browser import browser
from programs import CLEAN, KEYS, PATIENCE, WORKER, call, demonstration, events, simulator, wait_for

SECRET = "canary-of-a-prompt"
CLOSED = "127.0.0.1:1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address, path):
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Worker:
    """A worker with one call slot, whose first request is called and whose others wait."""

    def __init__(self, broker, endpoint, folder):
        self.address = f"127.0.0.1:{free_port()}"
        self.log = folder / "log"
        settings = [f"kafka.bootstrap_servers={broker}", "kafka.group_id=pages", "kafka.session_timeout=6s",
                    "topics.requests=[pages.requests]", "topics.responses=pages.responses", "topics.usage=pages.usage",
                    "topics.dead_letters=pages.letters", "topics.chunks=pages.chunks", "delivery.guarantee=at_least_once", "delivery.max_in_flight=1",
                    "delivery.drain_timeout=1s", "models.default=anthropic.claude-3-haiku-20240307-v1:0",
                    f"bedrock.endpoint_url={endpoint}", f"telemetry.http.address={self.address}"]
        self.words = [WORKER, "run", *(word for one in settings for word in ("--set", one))]
        self.start()
        self.producer = Producer({"bootstrap.servers": broker})
        for number, key in enumerate(("first", "second", "first", "third")):
            order = "[[sim:latency=300s]]" if number == 0 else ""
            value = {"id": f"request-{number}", "messages": [["human", f"{order} {SECRET} {number}"]]}
            self.producer.produce("pages.requests", json.dumps(value).encode(), f"canary-{key}".encode(), partition=0)
        assert self.producer.flush(PATIENCE) == 0

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words, stderr=log, env={**CLEAN, **KEYS})

    def await_requests(self):
        wait_for(lambda: self.status()["requests"]["held"] == 4 and self.status()["calls"]["open"] == 1)

    def status(self):
        code, text = get(self.address, "/status.json")
        assert code == 200 and "canary" not in text
        return json.loads(text)

    def explain(self, *arguments, **options):
        done = call("explain", "--address", self.address, *arguments, **options)
        assert "canary" not in done.stdout
        return done


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    with demonstration(0) as broker, simulator() as endpoint:
        run = Worker(broker, endpoint, tmp_path_factory.mktemp("pages"))
        wait_for(lambda: "pages_served" in events(run.log))
        run.await_requests()
        yield run
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(PATIENCE) in (0, 1)
        assert "canary" not in run.log.read_text(encoding="utf-8")


def test_the_status_says_how_the_worker_stands(worker):
    status = worker.status()
    assert status["headline"].startswith("This worker: ")
    assert "1 of 1 calls open" in status["headline"]
    assert status["headline"].endswith("2 requests wait for a free call slot.")
    assert {wait["state"]: wait["count"] for wait in status["waits"]} == {"calling": 1, "key": 1, "slot": 2}
    assert status["targets"][0]["model"] == "anthropic.claude-3-haiku-20240307-v1:0"
    assert (status["targets"][0]["state"], status["targets"][0]["calling"], status["targets"][0]["waiting"]) == ("sound", 1, 2)
    part = next(one for one in status["partitions"] if one["partition"] == 0)
    assert (part["topic"], part["held"], part["open"], part["front"]) == ("pages.requests", 4, 4, 0)
    assert 1 <= len(status["minutes"]) <= 60 and sum(one["taken"] for one in status["minutes"]) == 4
    assert status["has_joined"] and not status["is_stopping"]
    for event in status["events"]:
        assert set(event) == {"time", "level", "event", "message"} and event["level"] in ("warn", "error")


def test_the_status_command_prints_tables_of_80_columns(worker):
    done = call("status", "--address", worker.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("1 of 1 calls open", "MODEL", "anthropic.claude-3-haiku-2024", "TOPIC", "pages.requests", "a free call slot"):
        assert words in done.stdout, words
    assert json.loads(call("status", "--json", "-a", worker.address).stdout)["requests"]["held"] == 4


@pytest.mark.parametrize("question, words", [
    (["pages.requests/0/0"], "pages.requests-0@0 has waited {time} for Bedrock's answer (anthropic.claude-3-haiku-20240307-v1:0)"),
    (["request-1"], "pages.requests-0@1 has waited {time} for a free call slot; it is called when an open call ends."),
    (["--id", "request-2"], "pages.requests-0@2 has waited {time} for earlier ones of its key, behind pages.requests-0@0; "),
    (["--key", "canary-third"], "pages.requests-0@3 has waited {time} for a free call slot, behind 1 request of its tenant; "),
    (["pages.requests/0/9"], "pages.requests-0@9 is not taken from Kafka yet"),
])
def test_explain_says_why_a_request_waits(worker, question, words):
    done = worker.explain(*question)
    assert (done.returncode, done.stderr) == (0, "")
    before, _, after = words.partition("{time}")
    assert done.stdout.startswith(before) and after in done.stdout
    assert done.stdout.count("\n") == 1


def test_explain_shows_each_request_of_a_key(worker):
    done = worker.explain("--key", "canary-first")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["pages.requests-0@0", "pages.requests-0@2"]


def test_explain_asks_several_workers(worker):
    done = worker.explain("--address", CLOSED, "request-0")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{worker.address}: pages.requests-0@0 has waited ")
    assert done.stderr.startswith(f"no worker answers at {CLOSED}: ")


def test_explain_of_an_unknown_request_fails(worker):
    done = worker.explain("no-such-request")
    assert done.returncode == 1
    assert done.stdout.startswith("This worker holds no request with this id: ")


@pytest.mark.parametrize("path, code", [("/explain", 400), ("/explain?position=a/b", 400), ("/explain?id=%zz", 400),
                                        ("/explain?id=", 200), ("/explain?key=" + "%00" * 2000, 200), ("/nope", 404)])
def test_hostile_questions_are_answered(worker, path, code):
    assert get(worker.address, path)[0] == code


def test_health_asks_the_probes(worker):
    for option in ([], ["--live"]):
        done = call("health", *option, "--address", worker.address)
        assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    done = call("health", "--set", f"telemetry.http.address={worker.address.replace('127.0.0.1', '0.0.0.0')}")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert call("health", "--set", f"telemetry.http.address={worker.address}", http_proxy="http://127.0.0.1:1").returncode == 0


@pytest.mark.parametrize("command", [["health"], ["status"], ["explain", "x"]])
@pytest.mark.parametrize("address, words", [(CLOSED, f"no worker answers at {CLOSED}: "), ("a b", "'a b' is no address; write HOST:PORT"),
                                            ("", "'' is no address")])
def test_a_worker_that_does_not_answer_is_a_failure(command, address, words):
    done = call(*command, "--address", address)
    assert done.returncode == 1 and done.stdout == ""
    assert words in done.stderr


def test_without_pages_the_commands_say_so():
    done = call("health", "--set", "telemetry.http.address=")
    assert done.returncode == 1
    assert "telemetry.http.address is empty, so the worker serves no pages" in done.stderr


def test_explain_needs_one_request():
    for words in ([], ["a", "--key", "b"], ["--id", "a", "--key", "b"]):
        done = call("explain", *words)
        assert done.returncode == 2
        assert "name one request: REQUEST-ID, TOPIC/PARTITION/OFFSET or --key K" in done.stderr


class Other(http.server.BaseHTTPRequestHandler):
    """A program that has taken the default port."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def taken(port):
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Other)
    except OSError:     # something else has it
        yield False
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield True
    finally:
        server.shutdown()
        server.server_close()


def test_without_an_address_the_commands_find_workers_on_later_ports(tmp_path):
    log = tmp_path / "log"
    with taken(9464) as is_ours, open(log, "wb") as out, subprocess.Popen(
            [WORKER, "run", "--set", "kafka.bootstrap_servers=127.0.0.1:1"], stderr=out, env={**CLEAN, **KEYS}) as process:
        try:
            wait_for(lambda: "pages_served" in events(log))
            [served] = [json.loads(line) for line in log.read_text().splitlines() if '"pages_served"' in line]
            assert 9465 <= int(served["address"].rpartition(":")[2]) <= 9479
            assert get(served["address"], "/livez")[0] == 200      # its loop turns
            done = call("status")
            assert done.returncode == 0 and served["address"] in done.stdout.splitlines()
            done = call("explain", "no-such-request")
            assert done.returncode == 1 and " holds " in done.stdout
            done = call("health", "--live")
            assert done.returncode == 0
            assert re.fullmatch(r"127\.0\.0\.1:94[67]\d: ok\n", done.stdout) or not is_ours
        finally:
            process.kill()


def test_an_address_that_was_set_and_is_taken_is_a_wrong_setting(worker):
    done = call("run", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set", f"telemetry.http.address={worker.address}", **KEYS)
    assert done.returncode == 2
    assert f"telemetry.http.address: cannot listen on {worker.address}: Address already in use" in done.stderr


def test_health_of_several_workers_is_that_of_all(worker):
    done = call("health", "--address", worker.address, "--address", CLOSED)
    assert (done.returncode, done.stdout) == (1, f"{worker.address}: ok\n")
    assert done.stderr.startswith(f"no worker answers at {CLOSED}: ")


def test_a_page_that_is_no_workers_is_named():
    with simulator() as other:
        done = call("status", "--address", other.removeprefix("http://"))
        assert done.returncode == 1
        assert "answers with HTTP 4" in done.stderr and "not as a worker does" in done.stderr


def test_the_first_lines_name_what_the_worker_works_with(worker):
    lines = {line["event"]: line for line in map(json.loads, worker.log.read_text(encoding="utf-8").splitlines())}
    started = lines["started"]
    assert (started["topics"], started["region"]) == ("pages.requests", "us-east-1")
    assert started["brokers"].startswith("127.0.0.1:") and started["endpoint"].startswith("http://127.0.0.1:")
    assert (started["keys"], started["settings"]) == ("the environment", "the defaults")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in json.dumps(lines)
    assert re.search(r"memory stays below \d+\.\d [MG]iB: \d+\.\d [MG]iB for", lines["memory_bound"]["message"])
    assert 0 <= lines["ready"]["start_ms"] < 60000


# ---- the status page ----

@pytest.fixture(scope="module")
def tab(worker, tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as tab:
        tab.size(1000, 1100)
        tab.call("Page.navigate", url=f"http://{worker.address}/")
        wait_for(lambda: "This worker: " in (tab.evaluate("document.body.innerText") or ""))
        yield tab


def test_the_page_shows_what_the_status_says(worker, tab):
    assert tab.text("#headline").endswith("2 requests wait for a free call slot.")
    assert "anthropic.claude-3-haiku-20240307-v1:0" in tab.text("#targets")
    assert "pages.requests" in tab.text("#partitions")
    waits = tab.text("#waits")
    assert "a free call slot" in waits and "earlier ones of their key" in waits
    assert tab.evaluate("document.querySelectorAll('#waits svg rect').length") == 3
    assert tab.evaluate("document.querySelectorAll('#plots svg.plot').length") == 3
    assert tab.evaluate("document.querySelector('#gone').hidden")
    assert "canary" not in tab.evaluate("document.documentElement.outerHTML")


def test_the_page_is_one_file_that_asks_no_other(worker, tab):
    assert {re.sub(r"[?#].*", "", url) for url in tab.requests if not url.startswith("data:")} == {
        f"http://{worker.address}/", f"http://{worker.address}/status.json"}
    assert tab.problems == []
    with urllib.request.urlopen(f"http://{worker.address}/", timeout=PATIENCE) as page:
        policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    assert tab.evaluate("""new Promise((done) => {
        document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.foreign = true";
        document.body.append(script);
    })""") == "script-src-elem"
    assert tab.evaluate("window.foreign") is None
    tab.call("Log.clear")
    tab.problems.clear()


def test_tables_have_captions_and_heads(tab):
    assert tab.evaluate("[...document.querySelectorAll('table')].every((one) => one.caption && one.tHead)")
    assert tab.evaluate("[...document.querySelectorAll('th')].every((one) => ['col', 'row'].includes(one.scope))")
    assert tab.evaluate("document.querySelectorAll('[aria-live]').length") == 1


@pytest.mark.parametrize("width, dark", [(360, False), (360, True), (1000, False), (1000, True)])
def test_the_page_fits_its_window_in_light_and_dark(tab, width, dark):
    tab.size(width, 900, dark)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light is not dark
    tab.size(1000, 1100)


def test_the_page_refreshes_and_can_be_paused(tab):
    before = tab.text("#time")
    wait_for(lambda: tab.text("#time") != before)
    tab.evaluate("document.querySelector('#pause').click()")
    asked = tab.evaluate("performance.getEntriesByType('resource').length")
    paused = tab.text("#time")
    assert tab.evaluate("new Promise((done) => setTimeout(() => done(1), 2500))") == 1
    assert tab.text("#time") == paused
    assert tab.evaluate("performance.getEntriesByType('resource').length") <= asked + 1
    tab.evaluate("document.querySelector('#pause').click()")
    wait_for(lambda: tab.text("#time") != paused)


def test_the_page_says_when_the_worker_is_gone_and_forgets_it_when_it_is_back(tab):
    tab.evaluate("window.ask = window.fetch; window.fetch = () => Promise.reject(new Error('Failed to fetch'))")
    wait_for(lambda: tab.evaluate("!document.querySelector('#gone').hidden"))
    assert tab.text("#gone").startswith("The worker does not answer (Failed to fetch); what is below is of ")
    tab.evaluate("window.fetch = window.ask")
    wait_for(lambda: tab.evaluate("document.querySelector('#gone').hidden"))


def test_the_page_of_a_killed_worker_says_so(worker, tab):
    assert tab.problems == []
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(PATIENCE) in (0, 1)
    wait_for(lambda: tab.evaluate("!document.querySelector('#gone').hidden"))
    assert tab.text("#gone").startswith("The worker does not answer (Failed to fetch); ")
    assert "This worker: " in tab.text("#headline")
    worker.start()
    wait_for(lambda: tab.evaluate("document.querySelector('#gone').hidden"))
    worker.await_requests()
