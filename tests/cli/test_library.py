"""How `check` and `run` report on the linked librdkafka."""
import json
import re
import subprocess

import pytest
from programs import CLEAN, WORKER, call


def is_librdkafka_older_than(*needed):
    version = re.search(r"^librdkafka (\d+)\.(\d+)\.(\d+)", call("version").stdout, re.M).groups()
    return tuple(map(int, version)) < needed


# The command that librdkafka runs for Kerberos when it creates a client.
KERBEROS = "{security.protocol: sasl_plaintext, sasl.mechanism: GSSAPI, sasl.kerberos.min.time.before.relogin: 0}"


@pytest.mark.core
def test_check_names_what_does_not_work_with_this_librdkafka():
    done = call("check", AWS_REGION="us-east-1")
    assert done.returncode == 0
    old = is_librdkafka_older_than(2, 6, 1)
    assert ("\nwarn  librdkafka: 2." in done.stdout) == old
    assert ("works with Apache Kafka 2.5 and newer\n" in done.stdout) != old
    assert "SASL" not in done.stdout, "no client of these settings uses it"
    kerberos = call("check", "--set", f"kafka.client={KERBEROS}", AWS_REGION="us-east-1")
    assert ("Kafka 4.0.0 does not take SASL/GSSAPI" in kerberos.stdout) == is_librdkafka_older_than(2, 11, 0)


@pytest.mark.core
def test_run_logs_what_does_not_work_with_this_librdkafka():
    arguments = ["run", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set", f"kafka.client={KERBEROS}"]
    with subprocess.Popen([WORKER, *arguments], text=True, stderr=subprocess.PIPE,
                          env={**CLEAN, "AWS_REGION": "us-east-1"}) as worker:
        lines = []
        for line in worker.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "started":
                worker.terminate()
    needed = {line["needed"] for line in lines if line["event"] == "library_old"}
    assert ("2.11.0" in needed) == is_librdkafka_older_than(2, 11, 0)
    assert ("2.6.1" in needed) == is_librdkafka_older_than(2, 6, 1)
