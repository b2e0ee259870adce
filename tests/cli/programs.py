"""The built programs, for tests that call them as a person does."""
import contextlib
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("BEDROCK_PROGRAMS", ROOT / "build" / "release"))
WORKER = PROGRAMS / "bedrock-worker"
SIMULATOR = PROGRAMS / "bedrock-sim"
CLEAN = {name: value for name, value in os.environ.items()
         if not name.startswith(("AWS_", "KAFKA_", "BEDROCK_WORKER_"))}
# What bedrock-sim takes.
KEYS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIASIMULATOREXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "simulated/secret+key/for/local+tests"}


def call(*arguments, text=None, seconds=60, **environment):
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
