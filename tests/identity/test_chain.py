"""The worker finds the AWS keys that botocore finds, in each environment of the table (environments.py): the same keys,
or both refuse. botocore is the oracle, so the table has no expectations."""
import pytest

import chain_kit as kit
from environments import CASES, NAMES


@pytest.fixture(scope="module")
def oracle():
    running = kit.Oracle()
    yield running
    running.end()


@pytest.fixture(scope="session")
def namespaces():
    return kit.can_make_namespaces()


def identity(answer):
    """What both must agree on."""
    return {name: answer[name] for name in ("key", "token", "bearer") if name in answer} or "refused"


def kind(answer):
    return "refused" if "refused" in answer else "key"


def test_the_table_is_large():
    assert len(NAMES) == len(CASES) > 60, "names are unique"


@pytest.mark.parametrize("name", NAMES)
def test_the_worker_and_botocore_find_the_same_keys(name, oracle, namespaces):
    case = NAMES[name]
    if case.real and not namespaces:
        pytest.skip("no network namespaces here: the services cannot have their real addresses")
    theirs, ours = kit.found(name, "botocore", oracle), kit.found(name, "worker")
    assert ours["trapped"] == 0, "the worker came where nothing sent it"
    if case.differs:
        assert identity(ours) != identity(theirs), f"no longer different: {case.differs}"
        assert kind(ours) == case.expect, f"{case.differs}: {ours}"
        return
    assert identity(ours) == identity(theirs), f"botocore: {theirs}\nworker: {ours}"
    if "key" in ours:
        assert ours["regions"] == theirs["regions"], "STS was asked in other regions"
    if "refused" in ours:
        assert len(ours["refused"]) > 20, "a refusal says why"
        assert "canary" not in ours["refused"].replace("canary.awsapps.com", "").replace("user/canary", ""), \
            "a refusal quotes a secret"
