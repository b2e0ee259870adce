"""Secrets stay where they belong: canaries in keys, tokens, passwords and URLs, and servers that repeat what they get."""
import contextlib
import http.server
import json
import os
import resource
import subprocess
import threading
from pathlib import Path

import pytest
from programs import CLEAN, KEYS, WORKER, call, hears_signals, wait_for

CANARY = "canary/7Hq+zP4Lw9"
TOKENS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIACANARIES",
          "AWS_SECRET_ACCESS_KEY": f"secret-{CANARY}", "AWS_SESSION_TOKEN": f"session-{CANARY}"}
NO_BROKER = ["--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set", "telemetry.http.address="]
CALLER = ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
          "<Arn>arn:aws:sts::123456789012:assumed-role/worker/pod-1</Arn><UserId>AROAX:pod-1</UserId>"
          "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
DENIED = ("<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>{}</Message></Error>"
          "</ErrorResponse>")


@contextlib.contextmanager
def echo(answer):
    """A server whose answer is made of the request's headers: its URL."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, kind, body = answer(self.headers)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", "1")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def repeat(headers):
    """What Bedrock's refusals may do: the canonical request, which has the session token, and the bearer token."""
    said = "; ".join(f"{name}: {value}" for name, value in headers.items())
    return 403, "application/json", json.dumps({"__type": "InvalidSignatureException", "message": said})


def repeat_xml(headers):
    return 403, "text/xml", DENIED.format(headers["X-Amz-Security-Token"])


@pytest.mark.parametrize("more", [{}, {"AWS_BEARER_TOKEN_BEDROCK": f"bearer-{CANARY}"}], ids=["keys", "bearer"])
def test_a_refusal_that_repeats_tokens_shows_none(more):
    with echo(repeat) as url, echo(repeat_xml) as sts:
        done = call("check", "--connect", *NO_BROKER, "--set", f"bedrock.endpoint_url={url}", **TOKENS, **more,
                    AWS_ENDPOINT_URL_STS=sts)
    assert "***" in done.stdout and "canary" not in done.stdout + done.stderr
    assert "InvalidSignatureException" in done.stdout


def test_check_says_who_the_keys_are():
    with echo(lambda _: (200, "text/xml", CALLER)) as sts:
        done = call("check", "--connect", *NO_BROKER, **KEYS, AWS_ENDPOINT_URL_STS=sts)
    assert "ok    identity: account 123456789012 as arn:aws:sts::123456789012:assumed-role/worker/pod-1\n" in done.stdout


def test_check_says_why_aws_does_not_know_the_keys():
    with echo(repeat_xml) as sts:
        done = call("check", "--connect", *NO_BROKER, **TOKENS, AWS_ENDPOINT_URL_STS=sts)
    line = next(line for line in done.stdout.splitlines() if line.startswith("warn  identity: "))
    assert "InvalidClientTokenId" in line and "AWS does not know the keys" in line and "canary" not in line


BAD_PROXIES = {"port": ("http://user:{}@127.0.0.1:99999", "1 to 65535"),
               "blank": ("http://user:{}@127.0.0.1 :3128", "holds a blank"),
               "slash": ("http://user:{}/x@127.0.0.1:3128", "is not a proxy" "|" "port"),
               "scheme": ("ftp://user:{}@127.0.0.1:3128", "write http://")}


@pytest.mark.parametrize("where", ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "settings"])
@pytest.mark.parametrize("what", BAD_PROXIES)
def test_a_proxy_that_cannot_be_is_named_at_the_start_without_its_password(where, what, tmp_path):
    url, words = BAD_PROXIES[what]
    file = tmp_path / "worker.yaml"
    file.write_text("bedrock: {proxy: '${PROXY}'}\n" if where == "settings" else "{}\n", encoding="utf-8")
    proxy = url.format("canary7Hq")
    for command in (["check"], ["run"]):
        done = call(*command, *NO_BROKER, "-c", file, **KEYS, **{"PROXY" if where == "settings" else where: proxy})
        text = done.stdout + done.stderr
        assert done.returncode == 2 and "canary" not in text
        assert ("bedrock.proxy" if where == "settings" else f"{where} of the environment") in text
        assert any(word in text for word in words.split("|"))


@pytest.mark.parametrize("setting", ["kafka.client={{sasl.password: {}}}", "bedrock.client_key_password={}",
                                     "bedrock.proxy=http://user:{}@proxy:3128", "telemetry.traces.headers=key={}"])
def test_a_secret_in_the_command_line_is_rejected(setting):
    done = call("check", *NO_BROKER, "--set", setting.format("canary7Hq"), **KEYS)
    assert done.returncode == 2 and "every user of this machine can read a command line" in done.stderr
    assert "canary" not in done.stdout + done.stderr
    done = call("check", *NO_BROKER, "--set", setting.format("${SECRET}"), **KEYS, SECRET="canary7Hq")
    assert "command line" not in done.stderr and "canary" not in done.stdout + done.stderr


@contextlib.contextmanager
def running(folder, *more):
    """A worker as another user, where the tests may do that: its process."""
    user = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    os.chmod(folder, 0o777)

    def allow_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with subprocess.Popen([WORKER, "run", *NO_BROKER, *more], env={**CLEAN, **TOKENS}, cwd=folder, stderr=subprocess.DEVNULL,
                          preexec_fn=allow_cores, **user) as process:
        try:
            wait_for(lambda: hears_signals(process))
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("allowed", [False, True])
def test_a_crash_leaves_no_core_unless_a_setting_allows_it(tmp_path, allowed):
    with running(tmp_path, "--set", f"telemetry.core_dumps={str(allowed).lower()}") as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert (core.split()[4] == "0") is not allowed
        if os.geteuid() == 0:       # the kernel gives the files of a process that must not be dumped to root
            assert (os.stat(f"/proc/{process.pid}/environ").st_uid == 0) is not allowed
        process.send_signal(11)
        process.wait()
    cores = [path for path in tmp_path.iterdir() if path.name.startswith("core")]
    assert not cores or allowed
