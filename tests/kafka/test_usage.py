"""`bedrock-worker usage` on a real broker: each call once, in exact sums, whatever else is on the topic."""
import json
import re
import shutil
import subprocess
import sys
import time
import types
import uuid
from decimal import Decimal

import pytest
import yaml
from confluent_kafka import Producer

from kit import records, usage
from kit.processes import PATIENCE, ROOT

EXAMPLES = ROOT / "deploy" / "examples" / "usage"
TENANT_MODEL_DAY = ("tenant", "model", "day")
LOST = {"final": False, "estimated": True, "reason": "worker_lost", "begun": "yes", "started_at": None,
        "duration_ms": None}


def rows_of(done, columns=TENANT_MODEL_DAY):
    assert done.returncode == 0, done.stderr
    return usage.printed(done.stdout.splitlines(), columns)


def transaction(broker, topic, values, ends):
    """Writes in a transaction; `ends` is the producer's method that ends it, or None: it stays open."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": uuid.uuid4().hex,
                         "transaction.timeout.ms": 60000})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, usage.encoded(value), b"acme", partition=0, timestamp=usage.BEGIN_MS)
    assert producer.flush(PATIENCE) == 0
    if ends:
        getattr(producer, ends)(PATIENCE)
    return producer


@pytest.fixture(scope="module")
def book(broker):
    """A topic with 3000 calls over three days and all that must not count."""
    topic = f"usage.{uuid.uuid4().hex[:8]}"
    records.create_topic(broker.bootstrap, topic, 3, {"retention.ms": "-1"})
    calls = list(usage.records(3000))
    late = calls[-1]["data"]
    lost = [usage.record(10_000 + i, usage.BEGIN_MS + i, **LOST) for i in range(3)]
    replacing = usage.record(20_000, usage.BEGIN_MS + 5000, replaces=lost[0]["id"])
    replacing_early = usage.record(20_001, usage.BEGIN_MS + 6000, replaces=lost[1]["id"])
    usage.fill(broker.bootstrap, topic, [*calls, *calls[::10], lost[0], replacing, replacing_early, lost[1], lost[2]])
    committed = usage.record(30_001, usage.BEGIN_MS, tenant="acme")
    transaction(broker, topic, [committed], "commit_transaction")
    aborted = usage.record(30_000, usage.BEGIN_MS)
    transaction(broker, topic, [aborted], "abort_transaction")
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in (b"hello", None, usage.encoded({**calls[0], "type": "bedrock.chat.usage.v0"}),
                  usage.encoded(calls[1])[:-9]):
        producer.produce(topic, value, b"acme", partition=1)
    assert producer.flush(PATIENCE) == 0
    counted = [*calls, replacing, replacing_early, committed, {**lost[2], "data": {
        **lost[2]["data"], "started_at": lost[2]["time"]}}]
    assert late["started_at"].startswith("2026-11-03")
    yield topic, counted
    records.delete_topic(broker.bootstrap, topic)


def test_the_sums_are_those_of_an_independent_program(broker, book):
    topic, counted = book
    done = usage.call(broker, topic, "--by", "tenant,model,day", "--format", "json")
    assert rows_of(done) == usage.sums(counted, usage.by_tenant_model_day)


def test_what_does_not_count_is_counted_and_named(broker, book):
    done = usage.call(broker, book[0])
    assert done.returncode == 0
    for words in (f"skipped no usage records: 2, at {book[0]}-1@", "skipped usage records of another version: 1, at ",
                  "skipped damaged usage records: 1, at ", "300 records came twice and count once",
                  "2 records were replaced by others and are left out"):
        assert words in done.stderr, done.stderr


def test_a_window_takes_the_calls_that_began_in_it(broker, book):
    topic, counted = book
    done = usage.call(broker, topic, "--by", "tenant,model,day", "--format", "json", "--since", "2026-11-02", "--until",
                "2026-11-02T12:00:00Z")
    taken = [value for value in counted if "2026-11-02T00" <= value["data"]["started_at"] < "2026-11-02T12"]
    assert rows_of(done) == usage.sums(taken, usage.by_tenant_model_day)


def test_a_table_and_csv_have_the_same_calls(broker, book):
    topic, counted = book
    table = usage.call(broker, topic, "--month", "2026-11", "--by", "day").stdout
    rows = usage.call(broker, topic, "--month", "2026-11", "--by", "day", "--format", "csv").stdout.splitlines()
    assert max(map(len, table.splitlines())) <= 80
    assert f"{topic}: {len(counted):,} calls, 2026-11-01T00:00Z to 2026-11-03T23:58Z" in table
    assert sum(int(row.split(",")[2]) for row in rows[1:]) == len(counted)
    assert [row.split(",")[0] for row in rows[1:]] == ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_watch_follows_the_topic(broker):
    topic = f"usage.{uuid.uuid4().hex[:8]}"
    records.create_topic(broker.bootstrap, topic, 2, {"retention.ms": "-1"})
    usage.fill(broker.bootstrap, topic, usage.records(5))
    with subprocess.Popen(usage.command(broker, topic, "--by", "region", "--watch", "--every", "100ms"), text=True,
                          stdout=subprocess.PIPE, env=usage.ENVIRONMENT) as process:
        try:
            def awaits(count):
                end = time.monotonic() + PATIENCE
                while f"{topic}: {count} calls" not in process.stdout.readline():
                    assert time.monotonic() < end
            awaits(5)
            usage.fill(broker.bootstrap, topic, [usage.record(99, usage.BEGIN_MS)])
            awaits(6)
        finally:
            process.kill()
    records.delete_topic(broker.bootstrap, topic)


def test_a_transaction_that_stays_open_holds_nothing_up(broker):
    topic = f"usage.{uuid.uuid4().hex[:8]}"
    records.create_topic(broker.bootstrap, topic, 1, {"retention.ms": "-1"})
    usage.fill(broker.bootstrap, topic, usage.records(3))
    producer = transaction(broker, topic, [usage.record(7, usage.BEGIN_MS)], None)
    done = usage.call(broker, topic, "--by", "region", "--format", "json")
    assert json.loads(done.stdout)["calls"] == 3
    producer.abort_transaction(PATIENCE)
    records.delete_topic(broker.bootstrap, topic)


def report(values):
    """AWS's report of these records: a row for each hour, in thousands of tokens."""
    rows = ["lineItem/UsageStartDate,lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,pricing/unit"]
    names = {"anthropic.claude-3-sonnet-20240229-v1:0": "Claude3Sonnet", "amazon.nova-lite-v1:0": "NovaLite",
             "meta.llama3-1-70b-instruct-v1:0": "Llama3-1-70B"}
    for value in values:
        data, counts = value["data"], value["data"]["usage"]
        read, written = counts["cache_read_tokens"], counts["cache_write_tokens"]
        for kind, tokens in (("input-tokens", counts["input_tokens"] - read - written),
                             ("output-tokens", counts["output_tokens"]),
                             ("cache-read-input-token-count", read), ("cache-write-input-token-count", written)):
            rows.append(f"{data['started_at'][:13]}:00:00Z,Usage,USE1-{names[data['model']]}-{kind},{tokens / 1000:.3f},"
                        "1K tokens")
    return "\n".join(rows) + "\n"


def test_aws_report_equals_the_records_and_what_is_on_one_side_only_is_named(broker, book, tmp_path):
    topic, counted = book
    file = tmp_path / "report.csv"
    file.write_text(report(counted), encoding="utf-8")
    done = usage.call(broker, topic, "--reconcile", file)
    assert re.fullmatch(r"(\d+) sums by day, model and class of tokens: \1 equal, 0 differ, 0 only in AWS's report, "
                        r"0 only in the records\n", done.stdout), done.stdout + done.stderr
    other = "2026-11-02T00:00:00Z,Usage,USE1-Claude9Opus-input-tokens,5,1K tokens\n"
    more = "2026-11-03T00:00:00Z,Usage,USE1-NovaLite-output-tokens,0.007,1K tokens\n"
    file.write_text(report(counted) + other + more, encoding="utf-8")
    rows = [json.loads(line) for line in usage.call(broker, topic, "--reconcile", file, "--format", "json").stdout.splitlines()]
    odd = {row["side"]: row for row in rows if row["side"] != "equal"}
    assert set(odd) == {"only_aws", "differs"}
    assert odd["only_aws"]["usage_type"] == "USE1-Claude9Opus-input-tokens" and odd["only_aws"]["aws_tokens"] == 5000
    assert odd["differs"]["aws_tokens"] - odd["differs"]["tokens"] == 7
    file.write_text(report(counted)[:-20], encoding="utf-8")
    done = usage.call(broker, topic, "--reconcile", file)
    assert done.returncode == 1
    assert re.search(r"report\.csv:\d+: the row has \d fields, and the heading 5; is the file cut\?", done.stderr)


def test_a_window_has_the_calls_whose_records_came_days_later(broker, book):
    topic, counted = book
    done = usage.call(broker, topic, "--by", "tenant,model,day", "--format", "json", "--until", "2026-11-01T00:01:00Z")
    taken = [value for value in counted if value["data"]["started_at"] < "2026-11-01T00:01"]
    assert len(taken) >= 4 and rows_of(done) == usage.sums(taken, usage.by_tenant_model_day)


def test_hours_are_utc_on_a_day_when_local_clocks_change(broker, book):
    topic, counted = book
    window = ("--since", "2026-11-01", "--until", "2026-11-02", "--by", "hour", "--format", "json")
    rows = rows_of(usage.call(broker, topic, *window, TZ="America/New_York"), ("hour",))
    taken = [value for value in counted if value["data"]["started_at"] < "2026-11-02"]
    assert len(rows) == 24
    assert {name.removesuffix(":00Z"): row for (name,), row in rows.items()} == usage.sums(
        taken, lambda data: data["started_at"][:13])


def test_a_report_of_any_size_takes_little_memory(broker, book):
    words = usage.command(broker, book[0], "--reconcile", "-", "--format", "json")
    rows, printed, resident = usage.stream_report(words, 160 << 20)
    [row] = [row for row in map(json.loads, printed.splitlines()) if row.get("usage_type")]
    assert (row["side"], row["aws_tokens"]) == ("only_aws", 7 * rows)
    assert resident < 96 << 20, "it holds the report"


def test_invocation_logs_are_compared_by_request_id(broker, book, tmp_path):
    topic, counted = book
    lines = []
    for value in counted[:100]:
        data, raw = value["data"], value["data"]["usage"]["raw"]
        lines.append({"schemaType": "ModelInvocationLog", "timestamp": data["started_at"][:19] + "Z",
                      "requestId": data["bedrock_request_id"], "modelId": data["model"], "input": {
                          "inputTokenCount": raw["inputTokens"], "cacheReadInputTokenCount": raw["cacheReadInputTokens"],
                          "cacheWriteInputTokenCount": raw["cacheWriteInputTokens"]},
                      "output": {"outputTokenCount": raw["outputTokens"]}})
    lines[3]["output"]["outputTokenCount"] += 1
    lines[5]["requestId"] = "00000000-0000-4000-8000-00000000abcd"
    file = tmp_path / "log.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    rows = [json.loads(line) for line in usage.call(broker, topic, "--reconcile", file, "--format", "json").stdout.splitlines()]
    sides = {}
    for row in rows:
        sides.setdefault(row["side"], []).append(row)
    assert [row["aws_output_tokens"] - row["output_tokens"] for row in sides["differs"]] == [1]
    assert [row["bedrock_request_id"] for row in sides["only_log"]] == ["00000000-0000-4000-8000-00000000abcd"]
    assert counted[5]["data"]["bedrock_request_id"] in {row["bedrock_request_id"] for row in sides["only_records"]}


# ---- the examples ----

def spend_of(counted):
    rows = {}
    for value in counted:
        key = value["data"]["tenant"], value["data"]["started_at"][:10]
        rows[key] = rows.get(key, Decimal(0)) + Decimal(value["data"]["cost"]["amount"])
    return rows


def test_duckdb_sums_what_each_tenant_spent(broker, book, tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    topic, counted = book
    (tmp_path / "usage.jsonl").write_text(usage.call(broker, topic, "--by", "tenant,model,day", "--format", "json").stdout,
                                          encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as base:
        base.execute((EXAMPLES / "spend.sql").read_text(encoding="utf-8"))
        rows = base.execute("SELECT tenant, day, amount FROM spend").fetchall()
    assert {(tenant, str(day)): amount for tenant, day, amount in rows} == spend_of(counted)


def test_a_report_in_parquet_comes_through_duckdb(broker, book, tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    topic, counted = book
    heading, rows = report(counted).split("\n", 1)
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])|/", "_", name).lower() for name in heading.split(",")]
    (tmp_path / "cur").mkdir()
    (tmp_path / "report-in.csv").write_text(",".join(names) + "\n" + rows, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as base:
        base.execute("""COPY (SELECT *, 'AmazonBedrock' AS line_item_product_code, 'us-east-1' AS product_region_code,
                         0.0 AS line_item_unblended_cost FROM read_csv('report-in.csv')) TO 'cur/part.parquet'""")
        base.execute((EXAMPLES / "report.sql").read_text(encoding="utf-8"))
    done = usage.call(broker, topic, "--reconcile", tmp_path / "report.csv")
    assert " 0 differ, 0 only in AWS's report, 0 only in the records" in done.stdout, done.stdout + done.stderr


class Canvas:
    """Stands for matplotlib where it is not installed: keeps what is drawn."""

    def __init__(self):
        self.bars, self.title = [], ""

    def subplots(self, **_):
        return self, self

    def bar(self, days, values, bottom, label):
        self.bars.append((label, dict(zip(days, values, strict=True))))

    def set_title(self, title):
        self.title = title

    def __getattr__(self, name):
        return lambda *_, **__: None


def test_the_notebook_plots_spend_per_tenant_and_day(broker, book, tmp_path, monkeypatch):
    topic, counted = book
    (tmp_path / "usage.jsonl").write_text(usage.call(broker, topic, "--by", "tenant,day", "--format", "json").stdout,
                                          encoding="utf-8")
    canvas = Canvas()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", types.ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", canvas)
    sys.modules["matplotlib"].pyplot = canvas
    names = {}
    for cell in json.loads((EXAMPLES / "spend.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)            # pylint: disable=exec-used
    expected = spend_of(counted)
    drawn = {(tenant, day): value for tenant, days in canvas.bars for day, value in days.items()}
    assert drawn == {key: float(value) for key, value in expected.items()}
    assert canvas.title == f"Bedrock, {usage.text_of(sum(expected.values()))} USD"


@pytest.mark.parametrize("program, check", [
    ("lago.jq", lambda events, value: events == [{
        "transaction_id": value["id"], "external_subscription_id": value["subject"], "code": "bedrock_tokens",
        "timestamp": usage.BEGIN_MS // 1000, "properties": {
            **{name: value["data"][name] for name in ("model", "region", "estimated")},
            **{name: value["data"]["usage"][name] for name in ("input_tokens", "output_tokens")},
            "tokens": value["data"]["usage"]["total_tokens"], "cost": value["data"]["cost"]["amount"],
            "currency": "USD"}}]),
    ("stripe.jq", lambda events, value: [(event["identifier"], event["payload"]["value"]) for event in events] == [
        (f"{value['id']}-{side}", str(value["data"]["usage"][f"{side}_tokens"])) for side in ("input", "output")]),
])
def test_jq_makes_events_of_records(program, check):
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    value = usage.record(1, usage.BEGIN_MS)
    text = "\n".join(json.dumps(one) for one in (value, {"type": "another"}))
    done = subprocess.run(["jq", "-c", "-f", EXAMPLES / program], input=text, capture_output=True, text=True, check=True,
                          timeout=PATIENCE)
    assert check([json.loads(line) for line in done.stdout.splitlines()], value), done.stdout


def test_the_collectors_settings_read_committed_records():
    settings = yaml.safe_load((EXAMPLES / "openmeter.yaml").read_text(encoding="utf-8"))
    assert settings["input"]["kafka_franz"]["topics"] == ["bedrock.usage"]
    assert settings["input"]["kafka_franz"]["transaction_isolation_level"] == "read_committed"
    assert 'this.type == "bedrock.chat.usage.v1"' in settings["pipeline"]["processors"][0]["mapping"]


def test_a_missing_topic_is_named(broker):
    done = usage.call(broker, "no.such.topic")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no.such.topic" in done.stderr and "correct topics.usage" in done.stderr
