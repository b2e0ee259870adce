"""The kill storm: kill -9 of workers and of the broker while requests stream in, for as many cycles as asked."""
import random
import threading
import time

from kit.auditor import Blow
from kit.processes import PATIENCE, wait_for

SESSION_MS = 3000   # of the tests' workers


class Stream(threading.Thread):
    """Sends requests at a steady rate until it is stopped; continues while the broker is away."""

    def __init__(self, world, per_second, keys=40):
        super().__init__(daemon=True)
        self.world, self.per_second, self.keys = world, per_second, keys
        self.ends, self.count = threading.Event(), 0

    def run(self):
        while not self.ends.wait(1 / self.per_second):
            self.ask(self.count)
            self.count += 1

    def ask(self, number):
        key = f"key-{number % self.keys}".encode() if number % 3 else None
        self.world.ask(f"r{number}", key=key, stream=number % 4 == 0)

    def end(self):
        self.ends.set()
        self.join(PATIENCE)
        self.world.writer.flush()


def restart_broker(world, away_seconds):
    began = time.time() * 1000
    world.broker.kill()
    time.sleep(away_seconds)
    world.broker.start()
    ended = time.time() * 1000
    world.outages.append((began, ended))
    if ended - began > SESSION_MS / 2:  # a slow start: sessions end until the group has formed again
        world.blows.append(Blow("", began, ended + SESSION_MS))


def kill_storm(world, cycles, seed, broker_every=6, per_second=60, say=print, streaming=Stream, after=None):
    """Worker w0 is a static member, w1 has a name, w2 has none. In each cycle one is killed and restarts a little later.
    The broker is killed, too; each fifth time it is away for longer than the workers' session. `after` is called with the
    number of each cycle at its end."""
    chance = random.Random(seed)
    names = {"w0": {"kafka": {"static_membership": True}}, "w1": {}, "w2": {}}
    for name, settings in names.items():
        world.worker(name, is_named=name != "w2", **settings)
    stream = streaming(world, per_second)
    stream.start()
    assert wait_for(lambda: world.answered() > 0)
    for cycle in range(1, cycles + 1):
        time.sleep(chance.uniform(0.3, 2.5))
        victims = chance.sample(sorted(names), chance.choice([1, 1, 1, 2]))
        for name in victims:
            world.kill(name)
        if broker_every and cycle % broker_every == 0:
            is_long = cycle // broker_every % 5 == 0
            restart_broker(world, chance.uniform(0, 1) + (SESSION_MS / 1000 + 1 if is_long else 0))
        time.sleep(chance.uniform(0, 1.5))
        for name in victims:
            world.workers[name].start()
        if after:
            after(cycle)
        if cycle % 20 == 0:
            say(f"cycle {cycle} of {cycles}: {stream.count} requests, {world.answered()} answered")
    stream.end()
    return stream.count
