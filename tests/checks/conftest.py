"""Where the records come from: the real encoders, run by print_outputs; and, when the tests against a real Kafka have
left some in BEDROCK_OUTPUT_DIR, those that went through it."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from outputs import ROOT, Outputs, has_outputs         # noqa: E402

KEPT = os.environ.get("BEDROCK_OUTPUT_DIR")
SOURCES = ["encoders"] + (["kafka"] if has_outputs(KEPT) else [])


def built(name):
    """A program of this folder: from BEDROCK_PRINT_OUTPUTS' folder, else the newest that was built."""
    given = os.environ.get("BEDROCK_PRINT_OUTPUTS")
    if given:
        return Path(given).parent / name
    found = sorted((ROOT / "build").glob(f"*/tests/{name}"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.fail(f"{name} is not built: cmake --preset dev && cmake --build --preset dev")
    return found[-1]


@pytest.fixture(scope="session")
def read_requests():
    """How a worker reads requests: for each `ok`, or the error's code and the field."""
    def read(requests):
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        done = subprocess.run([built("read_requests")], input=lines, capture_output=True, text=True, check=True,
                              timeout=120)
        verdicts = done.stdout.splitlines()
        assert len(verdicts) == len(requests)
        return verdicts
    return read


@pytest.fixture(scope="session")
def encoded(tmp_path_factory):
    """What print_outputs wrote."""
    folder = tmp_path_factory.mktemp("outputs")
    subprocess.run([built("print_outputs"), folder], check=True, timeout=120)
    return Outputs(folder)


@pytest.fixture(scope="session", params=SOURCES)
def outputs(request):
    if request.param == "kafka":
        return Outputs(KEPT)
    return request.getfixturevalue("encoded")


@pytest.fixture(scope="session")
def worker():
    """The real engine without Kafka and network (parity.Worker)."""
    from parity import Worker                           # boto3 and LangChain take a second to import
    made = Worker(built("answer_requests"))
    yield made
    made.end()
