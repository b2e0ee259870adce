"""The vectors in tests/vectors agree with the installed botocore and langchain-aws."""
import subprocess
import sys
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def check(program):
    made = subprocess.run([sys.executable, VECTORS / program, "--check"], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr


def test_the_vectors_agree_with_botocore():
    check("make.py")


def test_the_answers_agree_with_langchain():
    check("make_answers.py")
