"""The list of tests reads as the specification: test names hold none of the words that worker/HACKING.md strikes."""
import re

from pages import ROOT
from test_pages import STRUCK

C_TEST = re.compile(r"^static void (\w+)\(void \*\*state\)$", re.MULTILINE)
PYTHON_TEST = re.compile(r"^def test_(\w+)\(", re.MULTILINE)


def struck_in(names):
    return [name for name in names if any(f"_{word.replace(' ', '_')}_" in f"_{name}_" for word in STRUCK)]


def test_no_test_name_contains_a_struck_word():
    names = [name for path in (ROOT / "tests").rglob("test_*.c") for name in C_TEST.findall(path.read_text())]
    names += [name for path in (ROOT / "tests").rglob("test_*.py") for name in PYTHON_TEST.findall(path.read_text())]
    assert len(names) > 1000
    assert struck_in(names) == []


def test_a_struck_word_in_a_test_name_is_found():
    assert struck_in(["a_topic_is_made_anew", "a_fault_is_told", "an_error_in_words", "anewer_told2"]) == [
        "a_topic_is_made_anew", "a_fault_is_told", "an_error_in_words"]
