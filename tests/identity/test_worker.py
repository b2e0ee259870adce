"""The running worker: it asks the services by its loop's connections, keeps what they give fresh, goes on looking while
they fail, and logs no secret at any level. No broker is there; keys are sought all the same."""
import contextlib
import dataclasses
import datetime
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import chain_kit as kit
from environments import NAMES

PATIENCE = 120                                          # seconds, of one thing that must happen
SETTINGS = {"kafka.bootstrap_servers": "127.0.0.1:1", "bedrock.endpoint_url": "http://127.0.0.1:1",
            "telemetry.log.level": "debug", "telemetry.log.format": "json"}


class Running:
    """A worker with its log."""

    def __init__(self, env, world):
        self.world, self.lines, self.event = world, [], threading.Condition()
        options = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
        self.process = subprocess.Popen([kit.built("bedrock-worker"), "run", *options], env=env, stderr=subprocess.PIPE,
                                        text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.event:
                self.lines.append(line)
                self.event.notify_all()

    def of(self, event):
        return [entry for entry in map(json.loads, list(self.lines)) if entry["event"] == event]

    def wait(self, event, count=1):
        """The lines of the event, when there are so many."""
        end = time.monotonic() + PATIENCE
        with self.event:
            while len(self.of(event)) < count:
                assert time.monotonic() < end and self.process.poll() is None, f"no {event}: {''.join(self.lines)}"
                self.event.wait(0.1)
        return self.of(event)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.reader.join()


@contextlib.contextmanager
def worker(name, prepare=lambda world: None, **more):
    """A worker in this environment; what it logs holds no secret."""
    with kit.made(dataclasses.replace(NAMES[name])) as (env, world):
        prepare(world)
        running = Running({**env, **more}, world)
        try:
            yield running
        finally:
            running.stop()
        log = "".join(running.lines).replace("canary.awsapps.com", "").replace("user/canary", "")
        assert "canary" not in log, [line for line in running.lines if "canary" in line]
        assert running.process.returncode == 0
        assert not world.trap.requests, "the worker came where nothing sent it"


@pytest.mark.parametrize("name,source", [
    ("keys_and_a_session_token", "the environment"),
    ("a_session_token_of_the_profile", "the shared credentials file"),
    ("a_role_by_a_source_profile", "role_arn"),
    ("web_identity_of_the_environment", "web"),
    ("a_login_that_is_renewed_after_its_end", "the SSO login"),
    ("a_console_login_is_renewed_after_its_end", "the session of aws login"),
    ("a_process", "credential_process"),
    ("a_container_with_a_token_file", "the container's role"),
    ("an_instance", "the instance's role"),
    ("a_chain_that_ends_at_the_instance", "role_arn"),
])
def test_each_source_gives_keys_and_no_secret_is_logged(name, source):
    with worker(name) as running:
        assert source in running.wait("credentials_taken")[0]["source"]


@pytest.mark.parametrize("name", ["a_container_with_a_token", "an_instance"])
def test_metadata_are_never_proxied(name):
    with kit.World() as elsewhere:
        proxy = elsewhere.url("trap")
        with worker(name, HTTP_PROXY=proxy, http_proxy=proxy, ALL_PROXY=proxy, NO_PROXY="none") as running:
            running.wait("credentials_taken")
        assert not elsewhere.trap.requests


@pytest.mark.parametrize("name,service", [("a_container", "container"), ("an_instance", "imds"),
                                          ("a_login", "sso"), ("a_role_by_a_source_profile", "sts")])
@pytest.mark.parametrize("mode", ["html", "half", "redirect", 403, 500])
def test_the_worker_goes_on_looking_while_a_service_fails(name, service, mode):
    with worker(name, lambda world: setattr(world.services[service], "mode", mode)) as running:
        assert running.wait("credentials_missing")[0]["reason"]
        running.world.services[service].mode = "well"
        running.wait("credentials_found")


def test_keys_that_live_for_seconds_are_renewed_at_half_their_life():
    """One fetch for each half of a life, as keys that live two minutes need 3 in 150 s and may have 40."""
    with worker("a_container", lambda world: setattr(world, "life", 6)) as running:
        taken = running.wait("credentials_taken", 4)
        asked = len(running.world.container.requests)
        missing = running.of("credentials_missing")
    times = [datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")) for entry in taken]
    pauses = [(later - earlier).total_seconds() for earlier, later in zip(times, times[1:])]
    assert min(pauses) >= 2, pauses
    assert asked <= len(running.of("credentials_taken")) + 1 and not missing


def test_a_worker_stops_while_a_service_hangs():
    with worker("a_container", lambda world: setattr(world.container, "mode", "hang")) as running:
        end = time.monotonic() + PATIENCE
        while not running.world.container.requests:
            assert time.monotonic() < end
            time.sleep(0.02)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 60, "it waited for the service"


def test_the_token_of_a_container_is_read_for_each_request():
    with kit.made(NAMES["a_container_with_a_token_file"]) as (env, world):
        world.life = 4
        running = Running(env, world)
        try:
            running.wait("credentials_taken")
            world.container_token = "canary-of-the-next-token"
            file = os.path.join(env["HOME"], "token")
            with open(file + ".new", "w", encoding="ascii") as text:
                text.write(world.container_token)
            os.replace(file + ".new", file)
            before = len(running.of("credentials_taken"))
            running.wait("credentials_taken", before + 2)
            assert world.container.requests[-1][2]["authorization"] == world.container_token
        finally:
            running.stop()
        assert "canary" not in "".join(running.lines)


@pytest.mark.parametrize("name", ["a_role_by_a_source_profile", "web_identity_of_the_environment", "a_login", "a_container",
                                  "an_instance", "a_console_login_is_renewed_after_its_end"])
def test_check_says_whose_the_keys_are(name):
    with kit.made(NAMES[name]) as (env, world):
        options = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
        done = subprocess.run([kit.built("bedrock-worker"), "check", "--connect", *options], env=env, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        issued = [key for key in world.keys.secrets if key.startswith("ASIA")]
    who = re.search(r"^ok +identity: account (\d+) as (.+)$", done.stdout, re.M)
    assert who and who.group(1) == "111122223333", done.stdout
    assert len(issued) == 1 and who.group(2) == world.arns.get(issued[0], f"arn:aws:iam::111122223333:user/{issued[0]}")
    assert "canary" not in (done.stdout + done.stderr).replace("canary.awsapps.com", "").replace("user/canary", "")
