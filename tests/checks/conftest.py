"""Where the records come from: the real encoders, run by print_outputs; and, when the tests against a real Kafka have
left some in BEDROCK_OUTPUT_DIR, those that went through it."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from outputs import ROOT, Outputs, has_outputs         # noqa: E402

KEPT = os.environ.get("BEDROCK_OUTPUT_DIR")
SOURCES = ["encoders"] + (["kafka"] if has_outputs(KEPT) else [])


def printer():
    """BEDROCK_PRINT_OUTPUTS, else the newest that was built."""
    given = os.environ.get("BEDROCK_PRINT_OUTPUTS")
    if given:
        return given
    found = sorted((ROOT / "build").glob("*/tests/print_outputs"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.fail("print_outputs is not built: cmake --preset dev && cmake --build --preset dev")
    return found[-1]


@pytest.fixture(scope="session")
def encoded(tmp_path_factory):
    """What print_outputs wrote."""
    folder = tmp_path_factory.mktemp("outputs")
    subprocess.run([printer(), folder], check=True, timeout=60)
    return Outputs(folder)


@pytest.fixture(scope="session", params=SOURCES)
def outputs(request):
    if request.param == "kafka":
        return Outputs(KEPT)
    return request.getfixturevalue("encoded")
