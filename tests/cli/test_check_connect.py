"""`check --connect` tests the settings of Bedrock with a call that is not billed."""
import contextlib
import http.server
import json
import re
import threading
import time

import pytest
from programs import KEYS, call, simulator

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
MODELS = ["--set", "models.default=fast", "--set", f"models.aliases={{fast: {{id: '{HAIKU}'}}}}"]


def check(url, *more, **environment):
    """The lines about Bedrock: (verdict, subject, message)."""
    done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                f"bedrock.endpoint_url={url}", *more, **{**KEYS, **environment})
    assert done.returncode == 1, "there is no broker"
    assert "secret+key" not in done.stdout + done.stderr
    return re.findall(r"^(ok|FAIL) +(credentials|endpoint|models\b.*?): (.*)$", done.stdout, re.M)


def verdicts(lines):
    return [(verdict, about) for verdict, about, _ in lines]


def test_valid_credentials_and_a_callable_model_are_reported_without_a_bill(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with simulator("--ledger", ledger) as url:
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    assert lines[1][2].startswith(f"{url} answers (")
    assert f"{HAIKU}: the credentials are accepted" in lines[2][2]
    calls = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert calls and not any(call.get("billed") for call in calls)


def test_each_model_is_tried_with_the_api_that_its_requests_take(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    arn = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abc"
    aliases = (f"{{a: {{id: '{HAIKU}'}}, b: {{id: '{HAIKU}', api: invoke}}, c: {{id: '{arn}', defaults: "
               "{provider: meta}}, d: {id: meta.llama3-70b-instruct-v1:0, api: invoke}}")
    with simulator("--ledger", ledger) as url:
        lines = check(url, "--set", f"models.aliases={aliases}")
    assert verdicts(lines)[2:] == [("ok", f"models {name}") for name in "abcd"]
    calls = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert not any(call.get("billed") for call in calls)
    assert [call["operation"] for call in calls if call["event"] == "end"] == ["Converse"] + 3 * ["InvokeModel"]


def test_a_simulator_with_a_settings_file_knows_the_key_of_the_pages(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("latency: 5ms\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        good = check(url, *MODELS)
        bad = check(url, *MODELS, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert (verdicts(good)[-1], verdicts(bad)[-1]) == (("ok", "models fast"), ("FAIL", "credentials"))


def test_bearer_tokens_are_checked_too():
    with simulator() as url:
        good = check(url, *MODELS, AWS_BEARER_TOKEN_BEDROCK="simulated-bearer-token")
        bad = check(url, *MODELS, AWS_BEARER_TOKEN_BEDROCK="canary-of-a-token")
    assert verdicts(good) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    assert bad[-1][0] == "FAIL" and "canary" not in str(bad)


def test_rejected_credentials_are_reported_with_source_and_reason():
    with simulator() as url:
        lines = check(url, *MODELS, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "credentials")]
    assert lines[2][2].startswith("Bedrock rejects those from the environment: InvalidSignatureException: ")


def test_without_credentials_the_endpoint_is_still_checked(tmp_path):
    with simulator() as url:
        lines = check(url, *MODELS, AWS_ACCESS_KEY_ID="", HOME=str(tmp_path))
    assert verdicts(lines) == [("FAIL", "credentials"), ("ok", "endpoint")]


def test_without_models_in_the_settings_the_credentials_are_still_checked():
    with simulator() as url:
        good = check(url)
        bad = check(url, AWS_SECRET_ACCESS_KEY="wrong/secret+key")
    assert verdicts(good) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models")]
    assert verdicts(bad) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "credentials")]


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives every request the same answer."""
    status, kind, body, seen = 400, "ValidationException", b'{"message": "no"}', []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.path)
        self.send_response(self.status)
        self.send_header("x-amzn-errortype", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def answering(**attributes):
    """A server that is not Bedrock: its URL, and the requested paths."""
    handler = type("Handler", (Answering,), {"seen": [], **attributes})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler.seen
        server.shutdown()


@pytest.mark.parametrize(("status", "kind", "words"), [
    (403, "AccessDeniedException", "access denied; grant bedrock:InvokeModel"),
    (404, "ResourceNotFoundException", "the call failed; Bedrock answers 404 ResourceNotFoundException: no"),
    (500, "InternalServerException", "the call failed; Bedrock answers 500 InternalServerException: no")])
def test_a_model_that_cannot_be_called_is_reported_with_bedrocks_error(status, kind, words):
    with answering(status=status, kind=kind) as (url, _):
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("FAIL", "models fast")]
    assert words in lines[2][2]


def test_a_rejected_bearer_token_is_named_as_a_possible_cause():
    with answering(status=403, kind="AccessDeniedException") as (url, _):
        for models in (MODELS, []):
            lines = check(url, *models, AWS_BEARER_TOKEN_BEDROCK="canary-of-a-token")
            assert verdicts(lines)[:2] == [("ok", "credentials"), ("ok", "endpoint")]
            assert lines[2][0] == "FAIL" and "AWS_BEARER_TOKEN_BEDROCK may be wrong or expired" in lines[2][2]
            assert "canary" not in str(lines)


def test_invalid_keys_are_reported_and_never_shown():
    with simulator() as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"):
            lines = check(url, *MODELS, **{name: "canary\x1bof a key"})
            assert verdicts(lines) == [("FAIL", "credentials"), ("ok", "endpoint")]
            assert lines[0][2].startswith(f"none that can be used: {name} holds a blank, a control character")
            assert "canary" not in str(lines)


def test_a_throttled_model_passes_the_check():
    with answering(status=429, kind="ThrottlingException") as (url, _):
        assert verdicts(check(url, *MODELS))[-1] == ("ok", "models fast")


@pytest.mark.parametrize("status", [200, 403, 502])
def test_an_html_page_in_place_of_an_answer_is_not_bedrock(status):
    with answering(status=status, kind="", body=b"<html><body>Sign in to the network</body></html>") as (url, _):
        lines = check(url, *MODELS)
    assert verdicts(lines) == [("ok", "credentials"), ("FAIL", "endpoint")]
    assert "bedrock.proxy" in lines[1][2]


def test_calls_pass_through_the_configured_proxy():
    with answering() as (url, seen):
        lines = check("http://bedrock.invalid", *MODELS, "--set", f"bedrock.proxy={url}")
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    assert seen == [f"http://bedrock.invalid/model/{HAIKU.replace(':', '%3A')}/converse"]


def test_a_wrong_clock_is_reported_and_corrected(tmp_path):
    settings = tmp_path / "sim.yaml"
    settings.write_text("auth: {clock_skew: 20m}\n", encoding="utf-8")
    with simulator("-c", settings) as url:
        begun = time.monotonic()
        lines = check(url, *MODELS)
        took = time.monotonic() - begun
    assert verdicts(lines) == [("ok", "credentials"), ("ok", "endpoint"), ("ok", "models fast")]
    behind = int(re.search(r"clock is (\d+) s behind", lines[1][2]).group(1))
    assert 1200 - 1 - took <= behind <= 1201


def test_every_region_of_an_alias_is_checked_at_its_endpoint():
    done = call("check", "--connect", "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set",
                f"models.aliases={{a: {{id: '{HAIKU}', region: us-nowhere-1}}, b: {{id: '{HAIKU}', region: us-nowhere-2}}, "
                "c: {id: amazon.nova-micro-v1:0, region: us-nowhere-1}}", **KEYS)
    assert re.findall(r"^FAIL  endpoint: https://bedrock-runtime.us-nowhere-(\d)", done.stdout, re.M) == ["1", "2"]
