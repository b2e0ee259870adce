"""The list of metrics (worker/telemetry/metrics.def), and what the dashboard and the rules ask for."""
import json
import re
from typing import NamedTuple

import yaml

from pages import ROOT

ROW = re.compile(r'^METRIC\(\w+, +(\w+), +(\w+), +"(\w+)", +"([\w,]*)", +"(.*)"\)$', re.M)
DASHBOARD = ROOT / "deploy" / "grafana" / "bedrock-worker.json"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"


class Metric(NamedTuple):
    name: str       # with its prefix
    kind: str       # counter, gauge, histogram
    labels: list
    help: str


def metrics():
    text = (ROOT / "worker" / "telemetry" / "metrics.def").read_text(encoding="utf-8")
    found = [Metric(name if name.startswith("process_") else f"bedrock_worker_{name}", kind.lower(),
                    [label for label in labels.split(",") if label], words)
             for kind, _, name, labels, words in ROW.findall(text)]
    assert len(found) == text.count("\nMETRIC("), "a row is written differently"
    return found


def queries():
    """Title and expression of each query of the dashboard."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


def rules():
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def names_in(expression):
    """The names of metrics in an expression, without the suffixes of histograms."""
    found = re.findall(r"\b(?:bedrock_worker|process)_\w+", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}
