"""Processes that a test starts: each in a new process group, ended by its id and never by a name.

Every process has a note in a folder with the moment it started, so that a run can end what an earlier run of the
same checkout left behind (a left-over worker with the same transactional id looks like a bug) and can never hit a
foreign process with the same id later.
"""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WORK = ROOT / "build" / "kafka"
PATIENCE = 120      # seconds; the limit of a wait: no test depends on the machine's speed


def started_at(pid):
    """The kernel's start time of a process, or None when there is no such process (a zombie counts as none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] in "ZX" else int(fields[19])


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """One child with its output in a file. Lives until killed or stopped; `notes` is the folder of the notes above."""

    def __init__(self, words, log, environment=None, notes=None, folder=None, standard_output=None):
        self.words = [str(word) for word in words]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.notes = Path(notes or WORK / "running")
        self.notes.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=standard_output or out, stderr=out, cwd=folder,
                env={**os.environ, **(environment or {})}, start_new_session=True)
        self.pid = self.child.pid
        self.note = self.notes / f"{self.pid}.json"
        self.note.write_text(json.dumps({"pid": self.pid, "started": started_at(self.pid), "words": self.words,
                                         "owner": os.getpid(), "owner_started": started_at(os.getpid())}))

    def runs(self):
        return self.child.poll() is None

    def signal(self, number):
        """To the whole group; nothing when it has ended."""
        if self.runs():
            os.killpg(self.pid, number)

    def wait(self, seconds=PATIENCE):
        """The exit code, or None when it still runs after `seconds`."""
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.note.unlink(missing_ok=True)
        return code

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def stop(self, seconds=PATIENCE):
        """SIGTERM and the exit code; killed after `seconds`, which is an error of the one that would not end."""
        self.signal(signal.SIGTERM)
        code = self.wait(seconds)
        if code is None:
            self.kill()
            raise TimeoutError(f"{self.words[0]} (log {self.log}) did not end within {seconds} s of SIGTERM")
        return code

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def end_strays(notes=None):
    """Ends what an earlier run left behind, by the notes; returns how many there were. A run that is still
    running keeps its own."""
    ended = 0
    for note in Path(notes or WORK / "running").glob("*.json"):
        try:
            noted = json.loads(note.read_text())
        except (OSError, ValueError):       # another run has ended it, or is writing the note now
            continue
        if started_at(noted["owner"]) == noted["owner_started"]:
            continue
        if noted["started"] is not None and started_at(noted["pid"]) == noted["started"]:
            os.killpg(noted["pid"], signal.SIGKILL)
            wait_for(lambda: started_at(noted["pid"]) is None)
            ended += 1
        note.unlink(missing_ok=True)
    return ended


def wait_for(fact, seconds=PATIENCE, pause=0.05):
    """Waits until fact() is true and returns its value; the last value (false) when time ran out."""
    end = time.monotonic() + seconds
    while True:
        value = fact()
        if value or time.monotonic() > end:
            return value
        time.sleep(pause)
