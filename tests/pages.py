"""The pages: every tracked *.md of the project, and the fenced blocks in them.

The words after a block's language say how a test runs it; readers never see them. tests/checks/test_pages.py lists what
they mean and fails on a block that has none of them, so every command in a page has a test.
"""
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(os.environ.get("BEDROCK_PROGRAMS", ROOT / "build" / "release"))
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    way: tuple
    text: str

    @property
    def place(self):
        return f"{self.page}:{self.line}"


def page_names():
    """The tracked pages, and new ones that Git does not ignore; without Git, those outside of build/."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                            capture_output=True, text=True, check=False)
    names = listed.stdout.split() if listed.returncode == 0 else [
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*.md") if "build" not in path.relative_to(ROOT).parts]
    return sorted(name for name in names if (ROOT / name).exists())


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page):
    found = []
    text = text_of(page)
    for match in FENCE.finditer(text):
        language, *way = match.group(1).split() or [""]
        found.append(Block(page, text.count("\n", 0, match.start()) + 1, language, tuple(way), match.group(2)))
    return found


def all_blocks():
    return [block for page in page_names() for block in blocks_of(page)]


def shows(expected, printed):
    """Whether a page's output is what was printed: `…` stands for anything within a line, blanks at line ends are void."""
    def tidy(text):
        return "\n".join(line.rstrip() for line in text.strip().splitlines())
    pattern = "[^\n]*".join(re.escape(part) for part in tidy(expected).split("…"))
    return re.fullmatch(pattern, tidy(printed)) is not None


def checkout(folder):
    """A folder that looks like a checkout to the commands of a page, so that files they write do not land in the real one."""
    for entry in ROOT.iterdir():
        if entry.name not in (".git", "worker.yaml"):
            (folder / entry.name).symlink_to(entry)
    return folder
