"""The built programs, for tests that use them as a user does."""
import contextlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("BEDROCK_PROGRAMS", ROOT / "build" / "release"))
WORKER = PROGRAMS / "bedrock-worker"
SIMULATOR = PROGRAMS / "bedrock-sim"
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}
CLEAN["AWS_EC2_METADATA_DISABLED"] = "true"             # no test asks the machine on which it runs,
CLEAN["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"    # nor AWS
# The keys that bedrock-sim accepts.
KEYS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIASIMULATOREXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "simulated/secret+key/for/local+tests"}


PATIENCE = 120      # seconds; the limit of a wait


def wait_for(fact):
    """Waits until fact() is true, and fails when it does not come true."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "in two minutes it did not come true"
        time.sleep(0.05)


def events(log):
    """The names of the log lines that a worker has written so far, in order."""
    return [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines(True) if line.endswith("\n")]


def hears_signals(process):
    """Whether it has a handler for SIGTERM, so that a signal stops it and does not kill it."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{process.pid}/status").read_text(), re.M).group(1)
    return process.poll() is None and int(caught, 16) >> 14 & 1


def call(*arguments, text=None, seconds=PATIENCE, **environment):
    return subprocess.run([WORKER, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=seconds,
                          env={**CLEAN, **environment}, check=False)


@contextlib.contextmanager
def simulator(*arguments):
    """A bedrock-sim that runs meanwhile: its URL."""
    with subprocess.Popen([SIMULATOR, *map(str, arguments)], stdout=subprocess.PIPE, text=True, env=CLEAN) as process:
        try:
            yield re.fullmatch(r"listening on (\S+)\n", process.stdout.readline()).group(1)
        finally:
            process.terminate()


@contextlib.contextmanager
def demonstration(requests):
    """A demo that runs meanwhile: its broker's address."""
    with subprocess.Popen([WORKER, "demo", "--keep", "--requests", str(requests)], stdout=subprocess.PIPE, text=True,
                          env=CLEAN) as process:
        address = None
        for line in process.stdout:
            found = re.search(r"brokers are at (\S+);", line)
            if found:
                address = found.group(1)
            if address and "request_id" in line:
                break
        assert address, "the demo ended"
        try:
            yield address
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
