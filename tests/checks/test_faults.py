"""The faults of tests/mutations can be planted: the source has each of their old texts exactly once."""
import runpy

import pytest

from pages import ROOT

FAULTS = runpy.run_path(str(ROOT / "tests" / "mutations" / "faults.py"))["FAULTS"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "_"))
def test_a_fault_can_be_planted(fault):
    for file, old, new in ((fault.file, fault.old, fault.new), *fault.also):
        assert (ROOT / file).read_text(encoding="utf-8").count(old) == 1, file
        assert new != old
