"""The C sources are as .clang-format has them. The targets `format` and `check-format` of the dev preset do the same by
hand: cmake --build --preset dev --target format."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = 14                                              # others break lines in other places


@pytest.fixture(scope="module")
def clang_format():
    program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
    if program is None:
        pytest.skip("clang-format is not installed")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.search(r"version (\d+)", said).group(1)) != VERSION:
        pytest.skip(f"the measure is clang-format {VERSION}, here is {said.strip()}")
    return program


def check(program, files):
    return subprocess.run([program, "--dry-run", "-Werror", "--style=file", *files], capture_output=True, text=True)


def test_every_c_file_is_formatted(clang_format):
    files = [path for folder in ("worker", "tests") for kind in ("c", "h") for path in (ROOT / folder).rglob(f"*.{kind}")]
    assert len(files) > 200
    done = check(clang_format, files)
    assert done.returncode == 0, done.stderr + "\nmend it: cmake --build --preset dev --target format"


def test_an_unformatted_file_is_found(clang_format, tmp_path):
    (tmp_path / ".clang-format").write_text((ROOT / ".clang-format").read_text())
    odd = tmp_path / "odd.c"
    odd.write_text("int  main(void) { return 0; }\n")
    assert check(clang_format, [odd]).returncode != 0
