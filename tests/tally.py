#!/usr/bin/env python3
"""Counts what a test runner did: `tally.py ctest|junit PART FILE EXIT_CODE [AGAIN]` prints `PART passed failed skipped`.
AGAIN is the report of a second run of what failed in the first: its verdict counts, and a line on stderr says so.

From CTest's verbose log the cases of cmocka are counted one by one, and a test program without such cases as one; a
program that failed without naming a failed case (a crash, a sanitizer, a time-out) counts as one failure more. A run
that failed without naming a failure counts as one, too.
"""
import os
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def from_ctest(text):
    passed = failed = skipped = 0
    cases = {}
    for number, word in re.findall(r"^(\d+): \[ *(OK|FAILED|ERROR|SKIPPED) *\] (?!\d+ test)\w", text, re.M):
        counts = cases.setdefault(number, {"OK": 0, "FAILED": 0, "SKIPPED": 0})
        counts["FAILED" if word == "ERROR" else word] += 1
    verdicts = re.findall(r"^ *\d+/\d+ Test +#(\d+): (\S+) \.*\s*(\**)(Passed|\S+)", text, re.M)
    for number, name, _, verdict in verdicts:
        counts = cases.get(number, {"OK": 0, "FAILED": 0, "SKIPPED": 0})
        # cmocka names a failed case twice: where it failed and in its summary
        bad = (counts["FAILED"] + 1) // 2
        passed += counts["OK"]
        skipped += (counts["SKIPPED"] + 1) // 2
        if verdict == "Passed":
            passed += 0 if counts["OK"] or counts["SKIPPED"] else 1
        elif verdict.startswith("Skipped"):
            skipped += 1
        else:
            failed += max(bad, 1)
            print(f"tests: {name}: {verdict}", file=sys.stderr)
    return passed, failed, skipped


def from_junit(path):
    passed = failed = skipped = 0
    for case in xml.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    kind, part, path, code = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    counts = (0, 0, 0)
    if path.exists():
        counts = from_ctest(path.read_text(errors="replace")) if kind == "ctest" else from_junit(path)
    passed, failed, skipped = counts
    if len(sys.argv) > 5 and Path(sys.argv[5]).exists():
        passed_again, failed_again, _ = from_junit(Path(sys.argv[5]))
        failed = max(failed_again, failed - passed_again)   # a file that cannot be imported does not run again
        passed += passed_again
        print(f"tests: {part}: {passed_again} passed only when run one at a time", file=sys.stderr)
    if code and not failed:
        failed = 1
        print(f"tests: {part} ended with exit code {code}", file=sys.stderr)
    if skipped and part != "compose" and os.environ.get("CI") == "true":     # compose skips only what needs a daemon
        print(f"tests: {part} skipped {skipped}; with CI=true nothing may be skipped", file=sys.stderr)
        failed, skipped = failed + skipped, 0
    print(part, passed, failed, skipped)


main()
