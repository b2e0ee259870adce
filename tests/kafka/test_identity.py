"""As whom the worker calls: roles whose keys end soon, keys that Bedrock refuses, two identities at once, and processes
that print keys. AWS STS is the one of tests/identity, which verifies signatures; so does bedrock-sim."""
import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "identity"))

from servers import World as Services  # noqa: E402

from kit.processes import wait_for  # noqa: E402
from kit.services import MODEL, SECRET, access_key  # noqa: E402
from kit.world import World  # noqa: E402

ROLE = "arn:aws:iam::111122223333:role/worker"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
KEYS = "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n"


@pytest.fixture(name="services")
def services_of():
    with Services() as services:
        services.keys.add(access_key("w0"), SECRET)
        yield services


def simulator_for(*keys):
    """Settings of a Bedrock that accepts these (id, secret, token or None)."""
    return {"auth": {"keys": [{"access_key_id": key, "secret_access_key": secret,
                               **({"session_token": token} if token else {})} for key, secret, token in keys]}}


def role_keys(services, **fields):
    """The keys that STS gives for the role; always the same ones, only their end differs."""
    return services.keys.issue("AssumeRole", access_key("w0"), ROLE, "the client's own", sorted(fields.items()))


def ask_while(world, prefix, fact, seconds=120):
    """Asks all the time until it is a fact."""
    number, until = 0, time.monotonic() + seconds
    while not fact() and time.monotonic() < until:
        world.ask(f"{prefix}{number}")
        world.writer.flush()
        number += 1
        time.sleep(0.02)
    assert fact()


def test_keys_of_a_role_are_renewed_under_load(broker, folder, services):
    services.life = 6
    with World(broker, folder, simulator=simulator_for(role_keys(services)),
               settings={"bedrock": {"identity": {"role_arn": ROLE}}}) as world:
        worker = world.worker("w0", environment={"AWS_ENDPOINT_URL_STS": services.url("sts")})
        ask_while(world, "a", lambda: len(services.sts.requests) >= 5)
        began, fetches = time.monotonic(), len(services.sts.requests)
        ask_while(world, "b", lambda: time.monotonic() - began > 6)
        assert len(services.sts.requests) - fetches <= 6     # each at half of the keys' life
        world.await_answers()
        assert not world.error_codes() and not worker.events("credentials_refused")
        world.must_be_graceful()


def test_refused_keys_make_requests_wait(broker, folder):
    keys = folder / "credentials"
    keys.write_text(KEYS.format(access_key("w0"), "wrong" + SECRET))
    with World(broker, folder) as world:
        worker = world.worker("w0", environment={**NO_KEYS, "AWS_SHARED_CREDENTIALS_FILE": str(keys)})
        world.ask_many(30)
        assert wait_for(lambda: worker.events("credentials_refused")), worker.text()
        time.sleep(3)
        refused = worker.events("credentials_refused")
        assert len(refused) == 1 and refused[0]["level"] == "error"
        assert world.answered() == 0 and not worker.events("target_failing")
        keys.write_text(KEYS.format(access_key("w0"), SECRET))
        world.await_answers()
        assert not world.error_codes()
        world.stop_workers()


def test_an_alias_is_called_as_its_own_identity(broker, folder, services):
    config = folder / "config"
    config.write_text(f"[profile billing]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n"
                      f"aws_access_key_id = {access_key('w0')}\naws_secret_access_key = {SECRET}\n")
    own = (access_key("w1"), SECRET, None)
    role = role_keys(services)
    aliases = {"billed": {"id": MODEL, "identity": {"profile": "billing"}}, "plain": {"id": MODEL}}
    with World(broker, folder, simulator=simulator_for(own, role), settings={"models": {"aliases": aliases}}) as world:
        services.sts.mode = "hang"
        worker = world.worker("w0", environment={"AWS_ACCESS_KEY_ID": own[0], "AWS_CONFIG_FILE": str(config),
                                                 "AWS_ENDPOINT_URL_STS": services.url("sts")})
        for number in range(10):
            world.ask(f"b{number}", model="billed")
            world.ask(f"p{number}", model="plain")
        world.writer.flush()
        assert wait_for(lambda: world.answered() == 10), worker.text()      # those that need no role
        services.sts.mode = "well"
        world.await_answers()
        world.end()
        callers = {line["tag"][:1]: line["access_key_id"] for line in world.simulator.lines("begin")}
        assert callers == {"b": role[0], "p": own[0]}
        assert not world.error_codes()


def is_alive(pid):
    return Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_process_that_prints_keys_ends_with_the_worker(broker, folder):
    script, noted, config = folder / "print keys", folder / "noted", folder / "config"
    script.write_text("#!/bin/sh\nenv >\"$0.env\"\necho $$ >\"$0.pid\"\necho canary-of-stderr >&2\nsleep 600\n")
    script.chmod(0o755)
    config.write_text(f"[default]\ncredential_process = '{script}' \"{noted}\"\n")
    environment = {**NO_KEYS, "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
                   "AWS_SESSION_TOKEN": "canary-token", "KAFKA_SECRET": "canary-password-of-kafka"}
    client = {"security.protocol": "PLAINTEXT", "sasl.password": "${KAFKA_SECRET}"}
    with World(broker, folder, settings={"kafka": {"client": client}}) as world:
        worker = world.worker("w0", environment=environment)
        pid_file = Path(f"{script}.pid")
        assert wait_for(lambda: pid_file.exists() and pid_file.read_text().strip()), worker.text()
        pid = int(pid_file.read_text())
        assert is_alive(pid)
        child = Path(f"{script}.env").read_text()
        assert "PATH=" in child and "canary" not in child
        worker.stop()
        assert not is_alive(pid)
        assert "canary" not in worker.text()


def test_a_process_prints_keys(broker, folder):
    script, config = folder / "keys.sh", folder / "config"
    answer = {"Version": 1, "AccessKeyId": access_key("w0"), "SecretAccessKey": SECRET,
              "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}
    script.write_text(f"#!/bin/sh\necho x >>'{folder}/runs'\necho '{json.dumps(answer)}'\n")
    script.chmod(0o755)
    config.write_text(f"[default]\ncredential_process = {script}\n")
    with World(broker, folder) as world:
        world.worker("w0", environment={**NO_KEYS, "AWS_CONFIG_FILE": str(config),
                                        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")})
        world.ask_many(20)
        world.await_answers()
        assert not world.error_codes()
        assert (folder / "runs").read_text() == "x\n"
        world.must_be_graceful()
