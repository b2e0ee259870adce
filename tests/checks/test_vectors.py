"""The vectors in tests/vectors agree with the installed botocore."""
import subprocess
import sys
from pathlib import Path

MAKE = Path(__file__).resolve().parents[1] / "vectors" / "make.py"


def test_the_vectors_agree_with_botocore():
    made = subprocess.run([sys.executable, MAKE, "--check"], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr
