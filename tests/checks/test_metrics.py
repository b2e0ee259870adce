"""The pages, rules and dashboard say what the list of metrics says."""
import re
import shutil
import subprocess

import pytest

from metrics import DASHBOARD, RULES, metrics, names_in, queries, rules
from pages import ROOT

PAGE = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")


def row_of(metric):
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


def test_the_page_lists_every_metric_in_its_order():
    table = PAGE[PAGE.index("| metric | type |"):].split("\n\n")[0].splitlines()
    assert table[2:] == [row_of(metric) for metric in metrics()]


def test_counters_alone_end_in_total():
    for metric in metrics():
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name


def test_every_event_of_the_alarm_table_has_a_rule_and_its_level():
    table = PAGE[PAGE.index("| event | level |"):].split("\n\n")[0]
    listed = {event: level for events, level in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (\w+) \|", table, re.M)
              for event in re.findall(r"\w+", events)}
    ruled = {}
    for rule in rules():
        for event in set(re.findall(r'event="(\w+)"', rule["expr"])):
            ruled[event] = {"critical": "error", "warning": "warn"}[rule["labels"]["severity"]]
    assert ruled == listed


def test_rules_and_dashboard_ask_for_metrics_of_the_list():
    known = {metric.name for metric in metrics()}
    for title, expression in queries() + [(rule["alert"], rule["expr"]) for rule in rules()]:
        assert names_in(expression) - known == set(), title
        assert names_in(expression) or expression.startswith("up{"), title


def test_the_dashboard_shows_every_metric_but_the_start():
    shown = set().union(*(names_in(expression) for _, expression in queries()))
    assert {metric.name for metric in metrics()} - shown == {"process_start_time_seconds"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing (deploy/packages.sh test)")
@pytest.mark.parametrize("words", [["check", "config", "deploy/prometheus/prometheus.yml"],
                                   ["check", "rules", str(RULES.relative_to(ROOT))],
                                   ["test", "rules", "tests/checks/alerts.test.yml"]], ids=" ".join)
def test_promtool_accepts(words):
    ran = subprocess.run(["promtool", *words], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_dashboard_takes_the_provisioned_source():
    source = (ROOT / "deploy" / "compose" / "grafana" / "datasources" / "prometheus.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'"uid": "(\w+)"', DASHBOARD.read_text(encoding="utf-8"))) == {"prometheus"}
    assert "uid: prometheus," in source
