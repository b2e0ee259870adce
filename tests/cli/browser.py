"""Debian's chromium without a window, spoken to by the DevTools protocol over its pipe: JSON texts that end in NUL."""
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import time

from programs import PATIENCE


class Tab:
    """A page: navigate, evaluate, screenshot. Notes errors, console lines and requests."""

    def __init__(self, commands, answers):
        self.commands, self.answers, self.rest = commands, answers, b""
        self.numbers = itertools.count(1)
        self.session = None
        self.problems, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")

    def receive(self, end):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            more = os.read(self.answers, 1 << 16)
            assert more, "the browser ended"
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, message):
        method, words = message.get("method"), message.get("params", {})
        if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            self.problems.append(json.dumps(words))
        elif method == "Network.requestWillBeSent":
            self.requests.append(words["request"]["url"])

    def call(self, method, **words):
        number, end = next(self.numbers), time.monotonic() + PATIENCE
        order = {"id": number, "method": method, "params": words}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.commands, json.dumps(order).encode() + b"\0")
        while (message := self.receive(end)).get("id") != number:
            self.note(message)
        assert "error" not in message, message["error"]
        return message["result"]

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)["result"].get("value")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])


@contextlib.contextmanager
def browser(folder):
    """A tab of a chromium that runs meanwhile."""
    program = shutil.which("chromium")
    assert program, "chromium is missing; deploy/packages.sh test installs it"
    from_us, commands = os.pipe()
    answers, to_us = os.pipe()
    script = f'exec "$@" 3<&{from_us} 4>&{to_us}'
    with subprocess.Popen(["bash", "-c", script, "bash", program, "--headless=new", "--no-sandbox", "--disable-gpu",
                           "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                           f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"],
                          pass_fds=(from_us, to_us), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        os.close(from_us)
        os.close(to_us)
        try:
            yield Tab(commands, answers)
        finally:
            process.terminate()
            os.close(commands)
            os.close(answers)
