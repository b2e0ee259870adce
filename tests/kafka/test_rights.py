"""The worker without the ACLs that it needs on the broker, and without credentials for Bedrock. It connects as user
`worker` by SASL/PLAIN; the tests' own client has all rights."""
import contextlib
import time

import pytest
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType,
                                   ResourceType)

from kit import records
from kit.processes import PATIENCE, wait_for
from kit.services import SECRET, access_key
from kit.world import World

SASL = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "worker",
        "sasl.password": "worker-password"}


def as_user(broker):
    return {"kafka": {"bootstrap_servers": broker.users_bootstrap, "client": SASL}}


@contextlib.contextmanager
def denied(broker, resource, name, operation, permission=AclPermissionType.DENY):
    """With a rule on a resource its user has no right that no rule grants."""
    client = records.admin(broker.bootstrap)
    rule = (resource, name, ResourcePatternType.LITERAL, "User:worker", "*", operation, permission)
    for done in client.create_acls([AclBinding(*rule)]).values():
        done.result(PATIENCE)
    assert wait_for(lambda: client.describe_acls(AclBindingFilter(*rule)).result(PATIENCE))
    try:
        yield
    finally:
        for done in client.delete_acls([AclBindingFilter(*rule)]).values():
            done.result(PATIENCE)


def right(worker):
    missing = worker.events("right_missing")
    return (missing[0]["operation"], missing[0]["resource"], missing[0]["name"]) if missing else None


def needs(world, kind):
    return {"txn": (ResourceType.TRANSACTIONAL_ID, f"{world.group}-w0", AclOperation.WRITE,
                    ("Write", "TransactionalId", f"{world.group}-w0")),
            "group": (ResourceType.GROUP, world.group, AclOperation.READ, ("Read", "Group", world.group)),
            "topic": (ResourceType.TOPIC, world.topics.requests, AclOperation.READ,
                      ("Read", "Topic", world.topics.requests))}[kind]


@pytest.mark.parametrize("kind", ["txn", "group", "topic"])
def test_a_missing_right_is_named_and_stops_intake_until_it_is_granted(own_broker, folder, kind):
    with World(own_broker, folder, settings=as_user(own_broker)) as world:
        resource, name, operation, words = needs(world, kind)
        with denied(own_broker, resource, name, operation):
            world.ask_many(5)
            worker = world.worker("w0")
            assert wait_for(lambda: right(worker) == words), worker.text()
            worker.stop()
            assert world.simulator.begun() == 0
            worker = world.worker("w0")
            assert wait_for(lambda: len(worker.events("right_missing")) >= 2), worker.text()
        world.await_answers()
        assert len(worker.events("right_missing")) <= 3
        world.must_be_graceful()


def test_without_the_right_to_describe_its_topics_the_worker_learns_their_limits_by_rejections(own_broker, folder):
    with World(own_broker, folder, partitions=1, settings=as_user(own_broker)) as world:
        world.make_again(world.topics.responses, **{"max.message.bytes": "20000"})
        with denied(own_broker, ResourceType.TOPIC, world.topics.responses, AclOperation.WRITE,
                    AclPermissionType.ALLOW):       # and no DescribeConfigs
            worker = world.worker("w0")
            for number in range(40):
                world.ask(f"r{number}", directive="bytes=30000" if number % 4 == 0 else "")
            world.writer.flush()
            world.await_answers()
            assert worker.events("producer_renewed")    # sets that were rejected
        world.end()
        large = {name for name, answer in world.responses().items() if answer["status"] == "error"}
        assert large == {f"r{number}" for number in range(0, 40, 4)}


def test_a_topic_without_write_permission_stops_commits_and_loses_nothing(own_broker, folder):
    with World(own_broker, folder, settings=as_user(own_broker)) as world:
        with denied(own_broker, ResourceType.TOPIC, world.topics.usage, AclOperation.WRITE):
            worker = world.worker("w0")
            world.ask_many(10)
            assert wait_for(lambda: worker.events("output_topic_blocked")), worker.text()
            time.sleep(3)
            held = worker.events("output_topic_blocked")
            assert len(held) == 1 and held[0]["topic"] == world.topics.usage
            assert "the right Write on it" in held[0]["message"] and "the results of all requests wait" in held[0]["message"]
            assert not worker.events("output_refused") and not worker.events("batch_aborted")
            assert world.answered() == 0
        world.await_answers()
        world.must_be_graceful()


def test_requests_wait_until_there_are_credentials(broker, folder):
    keys = folder / "credentials"
    with World(broker, folder) as world:
        worker = world.worker("w0", environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
                                                 "AWS_CONFIG_FILE": str(folder / "config"),
                                                 "AWS_SHARED_CREDENTIALS_FILE": str(keys)})
        world.ask_many(20)
        assert wait_for(lambda: worker.events("partition_earliest")), worker.text()
        assert wait_for(lambda: worker.events("credentials_missing")), worker.text()
        time.sleep(5)
        missing = worker.events("credentials_missing")
        assert len(missing) == 1 and missing[0]["level"] == "error" and str(keys) in missing[0]["reason"]
        assert world.answered() == 0 and world.simulator.begun() == 0
        keys.write_text(f"[default]\naws_access_key_id = {access_key('w0')}\naws_secret_access_key = {SECRET}\n")
        world.await_answers()
        assert len(worker.events("credentials_found")) == 1
        world.must_be_graceful()
        assert not world.error_codes()


def test_an_endpoint_that_is_unreachable_for_a_while_fails_no_request(broker, folder):
    with World(broker, folder, settings={"bedrock": {"retry": {"max_attempts": 3}}}) as world:
        worker = world.worker("w0")
        world.simulator.stop()
        world.ask_many(200)
        assert wait_for(lambda: worker.events("target_failing")), worker.text()
        time.sleep(5)
        failing = worker.events("target_failing")
        assert len(failing) == 1 and failing[0]["level"] == "warn" and "connect" in failing[0]["reason"]
        assert world.answered() == 0
        world.simulator.start()
        world.await_answers()
        assert len(worker.events("target_recovered")) == 1
        assert not world.error_codes() and len(worker.events()) < 60
        world.must_be_graceful()
