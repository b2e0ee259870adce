"""How the worker logs in to Kafka, and the rights that it needs, on a broker that lets nobody do what no ACL grants."""
import base64
import contextlib
import http.server
import json
import os
import subprocess
import threading
import time
from collections import Counter

import pytest

from kit import records
from kit.processes import wait_for
from kit.secure import PASSWORD, needed_rights
from kit.services import PROGRAMS, access_key
from kit.world import World


class Issuer(http.server.BaseHTTPRequestHandler):
    """The token endpoint of an identity provider (OIDC), for one client."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        wanted = "Basic " + base64.b64encode(f"oidc-client:{PASSWORD}".encode()).decode()
        claims = {"sub": "oidc-user", "iat": time.time(), "exp": time.time() + 600}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                 for part in ({"alg": "none"}, claims)]
        good = self.headers["Authorization"] == wanted
        body = json.dumps({"access_token": ".".join(parts) + "."} if good else {"error": "invalid_client"}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def issuer():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()


def logins(broker, issuer):
    """Each way to log in: the user, and what the settings say."""
    tls = {"ssl.ca.location": str(broker.certificates / "ca.pem")}
    sasl = {"security.protocol": "SASL_SSL", **tls}
    folder = broker.certificates
    return {
        "w0": ("scram-user", {"client": {**sasl, "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "scram-user",
                                         "sasl.password": PASSWORD}}),
        "w1": ("scram-user", {"client": {**sasl, "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "scram-user",
                                         "sasl.password": PASSWORD}}),
        "w2": ("plain-user", {"client": {**sasl, "sasl.mechanism": "PLAIN", "sasl.username": "plain-user",
                                         "sasl.password": PASSWORD}}),
        "w3": ("mtls-user", {"bootstrap_servers": broker.mutual_bootstrap, "client": {
            **tls, "security.protocol": "SSL", "ssl.certificate.location": str(folder / "client.pem"),
            "ssl.key.location": str(folder / "client.key"), "ssl.key.password": PASSWORD}}),
        "w4": (access_key("w4"), {"auth": "aws_msk_iam", "client": tls}),
        "w5": (access_key("w5"), {"client": {**sasl, "sasl.mechanism": "AWS_MSK_IAM"}}),
        "w6": ("oidc-user", {"client": {
            **sasl, "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": "oidc-client", "sasl.oauthbearer.client.secret": PASSWORD,
            "sasl.oauthbearer.token.endpoint.url": issuer}}),
    }


def secure_world(broker, folder, **more):
    return World(broker, folder, settings={"kafka": {"bootstrap_servers": broker.login_bootstrap}}, **more)


def test_each_way_to_log_in_serves_requests_with_the_rights_of_the_manual(secure_broker, folder, issuer):
    ways = logins(secure_broker, issuer)
    with secure_world(secure_broker, folder, partitions=2, request_partitions=2 * len(ways)) as world:
        secure_broker.add_users(["scram-user"])
        for user in {user for user, _ in ways.values()}:
            secure_broker.grant(user, needed_rights(world.topics, world.group))
        for name, (_, kafka) in ways.items():
            world.worker(name, kafka=kafka)
        assert wait_for(lambda: records.owners_of(secure_broker.bootstrap, world.group) == len(ways)), \
            "\n".join(worker.text()[-1500:] for worker in world.workers.values())
        for round_number in range(4):                   # over more than one end of a session (6 s)
            for partition in range(2 * len(ways)):
                world.ask(f"r{round_number}-{partition}", partition=partition)
            world.writer.flush()
            time.sleep(2.5)
        world.await_answers()
        world.must_be_graceful()
        callers = Counter(call.worker for call in world.calls)
        assert set(callers) == set(ways), callers
        for worker in world.workers.values():
            assert not worker.events("right_missing") and not worker.events("brokers_down"), worker.text()
            assert PASSWORD not in worker.text()


def scram(broker, user):
    return {"client": {"security.protocol": "SASL_SSL", "ssl.ca.location": str(broker.certificates / "ca.pem"),
                       "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": PASSWORD}}


def named(right, worker):
    """Whether the worker's log names a missing right, with what to do."""
    resource, name, operation = right[0].name, right[1], right[2].name
    if resource == "TOPIC" and operation == "WRITE" and not name.endswith(".chunks"):
        return any(event["topic"] == name and "the right Write on it" in event["message"]
                   for event in worker.events("output_topic_blocked"))
    words = {"TOPIC": "Topic", "GROUP": "Group", "TRANSACTIONAL_ID": "TransactionalId"}[resource]
    return any(event["resource"] == words and event["name"].startswith(name) and event["operation"].upper() == operation
               for event in worker.events("right_missing"))


def test_each_right_that_is_missing_is_named_and_nothing_is_lost(secure_broker, folder):
    with contextlib.ExitStack() as stack:
        worlds = []
        for number in range(7):
            world = stack.enter_context(secure_world(secure_broker, folder / f"{number}", partitions=1))
            rights = needed_rights(world.topics, world.group)
            user = f"user-{world.topics.prefix}"
            secure_broker.add_users([user])
            secure_broker.grant(user, rights[:number] + rights[number + 1:])
            worker = world.worker("w0", kafka=scram(secure_broker, user))
            world.ask_many(3, stream=True)
            world.ask("bad", temperature="hot")          # its dead letter needs the right, too
            world.writer.flush()
            worlds.append((world, worker, user, rights[number]))
        for world, worker, user, right in worlds:
            assert wait_for(lambda: named(right, worker)), f"{right}\n{worker.text()[-3000:]}"
            assert right[1] == world.topics.chunks or world.answered() < len(world.asked)
            secure_broker.grant(user, [right])
        for world, *_ in worlds:
            world.await_answers()
            world.must_be_clean(may_end_in_error=True)


BAD_LOGINS = {
    "a_wrong_password": ({"sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "scram-user",
                          "sasl.password": "password-canary-that-is-wrong"}, "SASL authentication error", "sasl.*"),
    "no_tls": ({"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "plain-user",
                "sasl.password": "password-canary-that-is-wrong"}, "", "security.protocol"),
    "no_login": ({"security.protocol": "PLAINTEXT"}, "", "security.protocol"),
    "another_host": ({"bootstrap": "localhost", "sasl.mechanism": "PLAIN", "sasl.username": "plain-user",
                      "sasl.password": PASSWORD}, "for other host names", "advertised.listeners"),
    "an_unknown_ca": ({"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt", "sasl.mechanism": "PLAIN",
                       "sasl.username": "plain-user", "sasl.password": PASSWORD}, "among the trusted", "ssl.ca.location"),
}


@pytest.mark.parametrize("what", BAD_LOGINS)
def test_a_login_that_fails_says_why_and_what_to_check(secure_broker, folder, what):
    client, reason, remedy = BAD_LOGINS[what]
    client = dict(client)
    secure_broker.add_users(["scram-user"])
    kafka = {"bootstrap_servers": f"{client.pop('bootstrap', '127.0.0.1')}:{secure_broker.login_port}",
             "client": {"security.protocol": "SASL_SSL", "ssl.ca.location": str(secure_broker.certificates / "ca.pem"),
                        **client}}
    with World(secure_broker, folder, settings={"kafka": kafka}) as world:
        worker = world.worker("w0")
        down = wait_for(lambda: next((event["message"] for event in worker.events("brokers_down")
                                      if reason in event["message"] and remedy in event["message"]), None))
        assert down, worker.text()
        checked = subprocess.run([PROGRAMS / "bedrock-worker", "check", "--connect", "-c", worker.file],
                                 capture_output=True, text=True, env={**os.environ, **worker.environment})
        line = next(line for line in checked.stdout.splitlines() if "brokers: " in line)
        for text in (down, line):
            assert reason in text and remedy in text, (down, line)
        assert "password-canary" not in worker.text() + checked.stdout + checked.stderr
