"""The demo on a terminal: within the window, with one progress line, wrapped at blanks."""
import re

import pytest

from programs import call
from terminal import on_terminal

SENTENCES = ["You are a helpful assistant that translates English to French. Translate the user sentence.",
             "it verifies signatures, throttles 5 % of the calls and cuts some streams",
             "because the in-memory cluster drops transactional offsets (on a real broker: exactly_once)",
             "|Vo|ici| la| tra|duction| en| français| :|",
             "1,107 requests, 1,107 answers: one for each"]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_demo_stays_within_the_window(columns):
    shown = on_terminal("demo", "--requests", 1100, columns=columns)
    assert shown.code == 0
    widths = [len(state) for states in shown.states for state in states]
    assert max(widths) <= columns
    for sentence in SENTENCES:
        assert sentence in shown.words
    wrapped = [line for line in shown.lines if line.startswith("  system   You are")]
    assert all(re.search(r"\w[.,]?$", line) for line in wrapped)
    assert max(len(line) for line in wrapped) > columns - 20, "lines use the window"


def test_the_demo_rewrites_one_progress_line_in_place():
    shown = on_terminal("demo", "--requests", 1100, columns=120)
    [states] = [states for states in shown.states if any("working" in state for state in states)]
    progress = [state for state in states if state]
    assert len(progress) > 3
    for state in progress[:-1]:
        assert re.fullmatch(r"working +(\[#*\.*\] )?[\d,]+ of 1,107 answered, [\d,]+ calls? retried, [\d,]+ tokens", state)
        assert len(state) <= 79
    assert progress[-1].startswith("answers "), "the line goes when the answers are there"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_demo_writes_plain_lines_where_the_user_asks_for_them(environment):
    shown = on_terminal("demo", "--requests", 100, columns=90, **environment)
    assert shown.code == 0
    assert shown.escapes == set()
    assert "\r" not in shown.raw.replace("\r\n", "\n")
    assert re.search(r"^working +107 of 107 answered, ", "\n".join(shown.lines), re.M)
    assert max(map(len, shown.lines)) <= 90


def test_an_empty_no_color_keeps_the_colours():
    assert "\x1b[32m" in on_terminal("demo", "--requests", 0, NO_COLOR="").escapes


def test_a_piped_demo_is_plain_and_80_columns_wide():
    done = call("demo", "--requests", 1100, seconds=120)
    assert done.returncode == 0
    assert not set("\x1b\r") & set(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_demo_that_keeps_running_shows_commands_to_copy():
    shown = on_terminal("demo", "--keep", "--requests", 0, columns=80, until='grep \'"request_id":"hello"\'')
    assert shown.code == 0
    commands = "\n".join(shown.lines).split("Ctrl-C ends the demo. To try:")[1].replace(" \\\n", "")
    assert re.search(r"bedrock-worker +ask +--set kafka\.bootstrap_servers=127\.0\.0\.1:\d+ .*\"I love programming\.\"$",
                     commands, re.M)
    for topic in ("requests", "responses", "usage"):
        assert re.search(rf"kcat .*-b 127\.0\.0\.1:\d+ +-t bedrock\.{topic}", commands)
