"""Fixtures: one broker for the whole run (or that of KAFKA_BOOTSTRAP_SERVERS), and a world for each test."""
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kit.broker import Broker, fetch_jars              # noqa: E402
from kit.processes import WORK, end_strays, wait_for   # noqa: E402
from kit.records import has_controller                 # noqa: E402


# The files that take longest, the longest first: they begin first, so that none of them runs on when the others are done.
LONG = ("test_outages", "test_kills", "test_long_outage", "test_pages", "test_broker_trouble", "test_bad_input",
        "test_graceful", "test_refused_records", "test_cut_logs", "test_logins", "test_upgrade", "test_rights",
        "test_ordering", "test_accounting", "test_identity", "test_spring", "test_starts", "test_metrics")
assert all((Path(__file__).parent / f"{name}.py").exists() for name in LONG), LONG


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def pytest_addoption(parser):
    parser.addoption("--cycles", type=int, default=20, help="kill -9 cycles of the kill storm")
    parser.addoption("--storm-seed", type=int, default=20, help="who is killed when in the kill storm")
    parser.addoption("--ledger-cycles", type=int, default=2, help="kill -9 cycles of the storm over the books")
    parser.addoption("--outage", type=float, default=60, help="seconds for which the broker is away in its test")


class GivenBroker:
    """An external broker: tests can use it, but neither kill it nor read its files."""
    data = None

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap


def started(make, tries=3):
    """A broker that serves. One that begins without a controller stays so: it is made again, on other ports."""
    for _ in range(tries):
        broker = make()
        broker.format()
        broker.start()
        if wait_for(lambda: has_controller(broker.bootstrap), 20):
            return broker
        words = broker.process.text()[-1500:]
        broker.kill()
    raise TimeoutError(f"the broker has no controller:\n{words}")


def serving(make):
    """Starts the broker that make() returns, and ends it at the second step; skips where there is no Apache Kafka."""
    missing = fetch_jars()
    if missing:
        pytest.skip(f"no Apache Kafka: {missing}")
    end_strays()
    broker = started(make)
    yield broker
    broker.stop()
    if not os.environ.get("KEEP_BROKER"):
        broker.wipe()


@pytest.fixture(scope="session")
def own_broker():
    """A broker that tests may kill, restart and inspect."""
    yield from serving(lambda: Broker(WORK / f"tests-{os.getpid()}"))


@pytest.fixture(scope="session")
def secure_broker():
    """A broker with TLS, SASL and an authorizer that lets nobody do what no ACL grants."""
    from kit.secure import SecureBroker
    yield from serving(lambda: SecureBroker(WORK / f"secure-{os.getpid()}"))


@pytest.fixture(scope="session")
def broker(request):
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return GivenBroker(given) if given else request.getfixturevalue("own_broker")


def fresh_folder(name):
    path = WORK / "logs" / re.sub(r"\W+", "-", name)[:80]
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


@pytest.fixture
def folder(request):
    """Settings, logs and ledger of one test; kept, so that a failure can be read."""
    return fresh_folder(request.node.name)


@pytest.fixture(scope="module")
def module_folder(request):
    return fresh_folder(request.module.__name__)
