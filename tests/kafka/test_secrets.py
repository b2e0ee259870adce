"""Canaries: a Bedrock whose refusals repeat all that they get, and no output of the worker shows the tokens."""
import http.server
import json
import threading
import urllib.request

from kit.broker import free_ports
from kit.processes import wait_for
from kit.world import World

TOKEN, BEARER = "session-canary/7Hq+zP4Lw9==", "bearer-canary-7HqzP4Lw9"


class Repeating(http.server.BaseHTTPRequestHandler):
    """Rejects the first request of a body and fails a stream of another, each with all the headers in its message."""
    protocol_version = "HTTP/1.1"
    seen = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        said = "; ".join(f"{name}: {value}" for name, value in self.headers.items())
        self.seen.append(said)
        body = json.dumps({"message": said}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "1")
        self.send_header("x-amzn-ErrorType", "ValidationException")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_no_output_shows_a_token_that_bedrock_repeats(broker, folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Repeating)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_ports(1)[0]
    settings = {"bedrock": {"endpoint_url": f"http://127.0.0.1:{server.server_port}"},
                "telemetry": {"log": {"level": "debug"}, "http": {"address": f"127.0.0.1:{port}"}}}
    with World(broker, folder, settings=settings) as world:
        shown = []
        for name, keys in (("w0", {"AWS_SESSION_TOKEN": TOKEN}), ("w1", {"AWS_BEARER_TOKEN_BEDROCK": BEARER})):
            worker = world.worker(name, environment=keys)
            world.ask_many(5, prefix=name)
            world.ask_many(2, prefix=f"{name}-s", stream=True)
            world.await_answers()
            for path in ("metrics", "status.json", "", "explain?topic=x&partition=0&offset=0"):
                with open(folder / "page", "wb") as page:
                    try:
                        page.write(urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=20).read())
                    except urllib.error.HTTPError as error:
                        page.write(error.read())
                shown.append((folder / "page").read_text())
            worker.stop()
            shown.append(worker.text())
        for topic in world.topics.outputs:
            shown += [str((record.key, record.headers, record.value)) for record in world.read(topic)]
        assert any(TOKEN in said for said in Repeating.seen) and any(BEARER in said for said in Repeating.seen)
        assert sum("***" in text for text in shown) >= 2 * 14          # responses and dead letters
        for text in shown:
            assert TOKEN not in text and BEARER not in text and "canary-7Hq" not in text and "canary/7Hq" not in text
        assert wait_for(lambda: len(world.responses()) == len(world.asked))
    server.shutdown()
