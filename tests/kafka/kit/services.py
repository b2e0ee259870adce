"""bedrock-sim and bedrock-worker as processes with settings made for a test."""
import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from kit.auditor import Call
from kit.broker import free_ports
from kit.processes import PATIENCE, ROOT, Process, wait_for

PROGRAMS = Path(os.environ.get("BEDROCK_PROGRAMS", ROOT / "build" / "release"))
MODEL = "anthropic.claude-3-sonnet-20240229-v1:0"
SCRIPT = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text(encoding="utf-8"))
SECRET = "secret-canary-wJalrXUtnFEMIK7MDENG"       # must never be seen in a log
PROMPT = "prompt-canary-orchid"                     # nor must this text of every request


def access_key(name):
    return f"AKIA{name.upper().replace('-', '')}"


class Simulator:
    """bedrock-sim with a ledger; every worker has a different access key, so the ledger shows who called."""

    def __init__(self, folder, settings=None, workers=8):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self.ledger_file = self.folder / "ledger.jsonl"
        self.names = {access_key(f"w{number}"): f"w{number}" for number in range(workers)}
        keys = [{"access_key_id": key, "secret_access_key": SECRET} for key in self.names]
        script = merged({"port": self.port, "ledger": {"path": str(self.ledger_file), "flush": "20ms"},
                         "auth": {"keys": keys}, "answers": SCRIPT["answers"]}, settings or {})
        (self.folder / "sim.yaml").write_text(json.dumps(script, indent=1))
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = Process([PROGRAMS / "bedrock-sim", "-c", self.folder / "sim.yaml"], self.folder / "sim.log")
        if not wait_for(self._answers):
            raise OSError(f"bedrock-sim does not answer:\n{self.process.text()[-2000:]}")
        return self

    def _answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=10).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self):
        if self.process and self.process.runs():
            code = self.process.stop()
            assert code == 0, f"bedrock-sim ended with exit code {code}:\n{self.process.text()[-2000:]}"

    def lines(self, event):
        if not self.ledger_file.exists():
            return []
        with open(self.ledger_file, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return [line for line in lines if line["event"] == event]

    def begun(self, tag=None):
        """How many calls have begun so far (of one request, when its tag is given)."""
        return sum(tag is None or line.get("tag") == tag for line in self.lines("begin"))

    def calls(self):
        """The calls that have ended; after stop() these are all."""
        return [self._call(line) for line in self.lines("end")]

    def _call(self, line):
        attempt = re.match(r"attempt=(\d+)", line.get("sdk_request", ""))
        return Call(f"sim-{line['call']}", line.get("tag", ""), line["started_us"] / 1000, line["ended_us"] / 1000,
                    line["outcome"], line["status"], line["billed"], line["input_tokens"], line["output_tokens"],
                    self.names.get(line.get("access_key_id"), ""), line.get("fault") or "", line["request_id"],
                    int(attempt.group(1)) if attempt else 0)


def merged(base, over):
    """`over` on top of `base`, member by member."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{name: merged(base.get(name), value) for name, value in over.items()}}


class Worker:
    """One bedrock-worker. `name` (w0, w1, …) is its access key's, and its kafka.instance when `is_named`."""

    def __init__(self, name, folder, settings, environment=None, is_named=True, program=None):
        self.name = name
        self.program = program or PROGRAMS / "bedrock-worker"
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {"AWS_ACCESS_KEY_ID": access_key(name), "AWS_SECRET_ACCESS_KEY": SECRET,
                            "AWS_REGION": "us-east-1", **(environment or {})}
        if is_named:
            settings = merged(settings, {"kafka": {"instance": name}})
        self.file = self.folder / f"{name}.yaml"
        self.file.write_text(json.dumps(settings, indent=1))
        self.log = self.folder / f"{name}.log"
        self.process = None
        self.lives = 0

    def start(self):
        self.process = Process([self.program, "run", "-c", self.file], self.log, self.environment)
        self.lives += 1
        return self

    @property
    def pid(self):
        return self.process.pid

    def runs(self):
        return self.process is not None and self.process.runs()

    def kill(self):
        self.process.kill()
        return time.time() * 1000

    def freeze(self):
        self.process.signal(signal.SIGSTOP)
        return time.time() * 1000

    def thaw(self):
        self.process.signal(signal.SIGCONT)
        return time.time() * 1000

    def stop(self, seconds=PATIENCE, code=0):
        """SIGTERM; the exit code must be as expected."""
        ended = self.process.stop(seconds)
        assert ended == code, f"{self.name} ended with exit code {ended}:\n{self.text()[-3000:]}"

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def events(self, name=None):
        """Its log lines, parsed; of one event when named."""
        found = []
        for line in self.text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and (name is None or event.get("event") == name):
                found.append(event)
        return found
