"""What the simulator's ledger costs by price files, in Python's decimals: the independent book beside the usage topic.

Follows the rules of config/README.md, "Prices", and shares no line with the worker.
"""
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from fnmatch import fnmatchcase

import yaml

CLASSES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
PROFILES = ("us.", "eu.", "apac.", "jp.", "au.", "global.")


class Exact(yaml.SafeLoader):
    """YAML whose numbers are decimals and whose instants are texts."""


for tag in ("float", "int"):
    Exact.add_constructor(f"tag:yaml.org,2002:{tag}", lambda loader, node: Decimal(node.value))
Exact.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


def instant(text):
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class Prices:
    """One version of a price file."""

    def __init__(self, text):
        root = yaml.load(text, Exact)
        self.version = f"{root['date']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self.currency, self.rows = root["currency"], root["prices"]

    def row(self, call):
        """The row for a call, None when there is none: the most specific name, then the longest context."""
        bare = next((call.model.removeprefix(name) for name in PROFILES if call.model.startswith(name)), call.model)
        for name in (call.model, bare):
            fitting = [row for row in self.rows if fnmatchcase(name, row["model"]) and self.fits(row, call)]
            if fitting:
                return max(fitting, key=lambda row: (len(row["model"].replace("*", "")), "region" in row,
                                                     row.get("context_over", 0)))
        return None

    @staticmethod
    def fits(row, call):
        region = row.get("region")
        in_region = region == "global" if call.model.startswith("global.") else region in (None, call.region)
        return (in_region and row.get("tier", "default") == call.tier
                and sum(call.tokens[name] for name in CLASSES if name != "output") > row.get("context_over", -1)
                and ("from" not in row or instant(row["from"]) <= call.began)
                and ("to" not in row or call.began < instant(row["to"])))

    def cost(self, call):
        """By class; None: no row, or a class that was used has no price."""
        row = self.row(call)
        if row is None or any(count and name not in row for name, count in call.tokens.items()):
            return None
        with localcontext() as context:
            context.prec = 60
            return {name: count * row[name] / 10**6 for name, count in call.tokens.items() if count}


@dataclass
class Priced:
    """What prices depend on."""
    model: str
    region: str
    tier: str
    began: datetime
    tokens: dict        # by class


def by_class(inward, outward, read, written, hour):
    return dict(zip(CLASSES, (inward - read - written, outward, read, written - hour, hour), strict=True))


def of_record(data, time, tier):
    counts = data["usage"]
    return Priced(data["model"], data["region"], tier, instant(data.get("started_at", time)), by_class(
        counts["input_tokens"], counts["output_tokens"], counts["cache_read_tokens"], counts["cache_write_tokens"],
        counts.get("cache_write_1h_tokens", 0)))


def of_line(line, data, tier):
    """A line of the ledger; the record says only when and where the worker began the call."""
    return Priced(line["model"], data["region"], tier, instant(data["started_at"]), by_class(
        line["input_tokens"], line["output_tokens"], line.get("cache_read_tokens", 0),
        line.get("cache_write_tokens", 0), line.get("cache_write_1h_tokens", 0)))


def parts_of(costs):
    return {name: sum((value for key, value in costs.items() if key.startswith(name)), Decimal(0))
            for name in ("input", "output", "cache_read", "cache_write")}


@dataclass
class Books:
    """Of a world that has ended: sums, and faults as sentences."""
    faults: list
    kinds: Counter
    ledger: Decimal     # billed calls with an exact record, tokens by the ledger
    estimated: Decimal  # records whose tokens are an estimate
    topic: Decimal      # all records
    repriced: Decimal   # all records by the last version
    unpriced: int
    late: int           # calls that began under new prices and are priced by the request's older file


def compare(lines, records, versions, tier_of):
    """The usage topic beside the ledger. `versions` are all Prices that held, the last one last; tier_of(request id) is
    the tier that served."""
    values = {value["id"]: value for value in (record.json() for record in records)}
    replaced = {value["data"]["replaces"] for value in values.values() if "replaces" in value["data"]}
    by_version = {prices.version: prices for prices in versions}
    billed = {line["request_id"]: line for line in lines if line["billed"]}
    books = Books([], Counter(), Decimal(0), Decimal(0), Decimal(0), Decimal(0), 0, 0)
    with localcontext() as context:
        context.prec = 60
        for name in set(values) - replaced:
            value = values[name]
            data, cost = value["data"], value["data"].get("cost")
            tier = tier_of(data["request_id"])
            line = billed.get(data.get("bedrock_request_id"))
            is_exact = not data["estimated"]
            if is_exact and line is None:
                books.faults.append(f"{data['request_id']}: a record that is exact, of a call that was not billed")
                continue
            call = of_line(line, data, tier) if is_exact else of_record(data, value["time"], tier)
            last = versions[-1].cost(call)
            books.repriced += sum(last.values()) if last else 0
            books.unpriced += cost is None
            books.kinds[data.get("reason", "exact")] += 1
            if cost is None:
                if any(prices.cost(call) is not None for prices in versions):
                    books.faults.append(f"{data['request_id']}: no cost, and a price for it: {json.dumps(data)}")
                continue
            costs = by_version[cost["prices"]].cost(call)
            books.late += costs != last
            books.topic += Decimal(cost["amount"])
            amount = sum(costs.values(), Decimal(0)) if costs is not None else None
            if is_exact:
                books.ledger += amount or 0
            else:
                books.estimated += amount or 0
            if (Decimal(cost["amount"]), cost["currency"]) != (amount, by_version[cost["prices"]].currency):
                books.faults.append(f"{data['request_id']}: {cost['amount']} {cost['currency']}, the ledger and the "
                                    f"price file give {amount}: {json.dumps(data)}")
            elif {part: Decimal(text) for part, text in cost["parts"].items()} != parts_of(costs):
                books.faults.append(f"{data['request_id']}: parts {cost['parts']}, should be {parts_of(costs)}")
    return books
