"""Cached logins are shared: what the worker renews, it writes back for the AWS CLI and other programs, and it takes what
they renew."""
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import chain_kit as kit
from environments import NAMES

RENEWED = {"sso": "a_login_that_is_renewed_after_its_end", "login": "a_console_login_is_renewed_after_its_end"}


@pytest.fixture(scope="module")
def oracle():
    running = kit.Oracle()
    yield running
    running.end()


def file_of(env, name):
    found = list(Path(env["HOME"], ".aws", name, "cache").iterdir())
    assert len(found) == 1, "nothing else is left in the folder"
    return found[0]


@pytest.mark.parametrize("name", RENEWED)
def test_a_renewed_login_is_written_back_for_its_owner_only(name):
    case = NAMES[RENEWED[name]]
    with kit.made(case) as (env, world):
        before = json.loads(file_of(env, name).read_text(encoding="utf-8"))
        assert "key" in kit.ask_worker_in(env, world)
        file = file_of(env, name)
        after = json.loads(file.read_text(encoding="utf-8"))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert after.keys() == before.keys()
    assert after["refreshToken"] != before["refreshToken"] and after["accessToken"] != before["accessToken"]
    kept = after.keys() - {"accessToken", "refreshToken", "expiresAt"}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


@pytest.mark.parametrize("name", RENEWED)
def test_botocore_takes_what_the_worker_renews(name, oracle):
    with kit.made(NAMES[RENEWED[name]]) as (env, world):
        ours = kit.ask_worker_in(env, world)
        theirs = oracle.ask(env, None)
        asked = len(world.oidc.requests) + len(world.signin.requests)
    assert (ours["key"], ours["token"]) == (theirs["key"], theirs["token"])
    assert asked == 1, "the login was renewed once"


@pytest.mark.parametrize("name", RENEWED)
def test_the_worker_takes_what_botocore_renews(name, oracle):
    with kit.made(NAMES[RENEWED[name]]) as (env, world):
        theirs = oracle.ask(env, None)
        ours = kit.ask_worker_in(env, world)
        asked = len(world.oidc.requests) + len(world.signin.requests)
    assert (ours["key"], ours["token"]) == (theirs["key"], theirs["token"])
    assert asked == 1, "the login was renewed once"


@pytest.mark.parametrize("name", RENEWED)
def test_many_workers_renew_a_login_once(name):
    """A refresh token is good for one use: those that come too late read the file again."""
    with kit.made(NAMES[RENEWED[name]]) as (env, world):
        if name == "login":
            world.signin.single_use = True
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: kit.ask_worker_in(env, world), range(8)))
        again = kit.ask_worker_in(env, world)
    assert {answer.get("key") for answer in found} == {again["key"]}, found
