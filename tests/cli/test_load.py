"""The command `load`: what it sends, what it counts, and how it ends."""
import re
import signal
import subprocess

import pytest

from programs import CLEAN, PATIENCE, WORKER, call, demonstration

ALIASES = "models.aliases={sonnet: {id: anthropic.claude-3-sonnet-20240229-v1:0}, nova: {id: us.amazon.nova-lite-v1:0}}"


@pytest.fixture(scope="module")
def servers():
    with demonstration(7) as address:
        yield f"kafka.bootstrap_servers={address}"


def test_each_request_of_a_load_has_one_answer(servers):
    done = call("load", "--requests", 31, "--rate", 50, "--set", servers, "--set", ALIASES)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    rows = {row[0]: row[1:] for row in re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", done.stdout, re.M)}
    assert [rows[name][:4] for name in ("acme", "globex", "initech", "all")] == [
        ("11", "11", "0", "0"), ("10", "10", "0", "0"), ("10", "10", "0", "0"), ("31", "31", "0", "0")]
    assert int(rows["all"][4]) == sum(int(rows[name][4]) for name in ("acme", "globex", "initech")) > 31
    assert done.stdout.endswith("31 asked, each answered once: nothing is lost, nothing is there twice\n")


def test_a_signal_ends_a_load_when_its_answers_are_there(servers):
    with subprocess.Popen([WORKER, "load", "--set", servers, "--set", ALIASES, "--every", "300ms"], text=True, env=CLEAN,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            if re.match(r"all +[1-9]", line):
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(PATIENCE) == 0, rest
    assert re.search(r"^result +\d+ asked, each answered once", rest, re.M)


def test_errors_are_counted_and_named(servers):
    done = call("load", "--requests", 3, "--rate", 50, "--set", servers, "--set", "models.aliases={gone: {id: x.y}}")
    assert re.search(r"^errors +3 requests ended in an error; load-\w+-\d: \w+: ", done.stdout, re.M), done.stdout


def test_requests_without_an_answer_are_a_failure(servers):
    done = call("load", "--requests", 2, "--timeout", "1s", "--set", servers, "--set", "topics.requests=[bedrock.dead-letters]",
                "--set", "topics.dead_letters=others")
    assert done.returncode == 1
    assert re.search(r"^result +2 asked, 2 without an answer after 1 s, 0 answered more than once$", done.stdout, re.M)
