"""A pseudo-terminal with a size, for tests of the screen."""
import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

from programs import CLEAN, WORKER


class Shown:
    """What a program wrote to its terminal."""

    def __init__(self, raw, code):
        self.raw, self.code = raw, code

    @property
    def escapes(self):
        return set(re.findall("\x1b\\[[0-9;?]*[A-Za-z]|\x1b.", self.raw))

    @property
    def states(self):
        """Every state that each line had: a carriage return begins the line again."""
        text = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", self.raw).replace("\r\n", "\n")
        return [line.split("\r") for line in text.split("\n")]

    @property
    def lines(self):
        """The screen at the end."""
        return [states[-1] for states in self.states]

    @property
    def words(self):
        return " ".join(" ".join(self.lines).split())


def on_terminal(*arguments, columns=80, seconds=120, until=None, **environment):
    """Runs the worker on a new terminal, to its end or until it has shown `until`; then it gets Ctrl-C."""
    ready, go = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.read(ready, 1)
        os.execve(WORKER, [str(WORKER), *map(str, arguments)], {**CLEAN, "TERM": "xterm-256color", **environment})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    os.write(go, b"x")
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if until is not None and until.encode() in shown:
            os.write(terminal, b"\x03")
            until = None
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    os.close(terminal)
    os.close(ready)
    os.close(go)
    return Shown(shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
