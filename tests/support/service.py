"""A service on this machine that answers as docs/remote.md says; or otherwise."""

import io
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from simplicert.classifiers import HttpClassifier
from simplicert.classifiers.service import Patience

CLASSES = 3
QUICK = Patience(retries=4, first=0.001, longest=0.002)


def function(inputs):
    """Three logits of an image: what the services here answer."""
    flat = inputs.reshape(len(inputs), -1).astype(np.float64)
    parts = [flat[:, k::CLASSES].mean(axis=1) for k in range(CLASSES)]
    return 8 * np.stack(parts, axis=1)


def npy(array):
    """A file of it, as bytes."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


class Service:
    """What it says and does; tests change it while it runs.

    Attributes:
        metadata: What it answers to ``/metadata``.
        version: In the header of every answer.
        answer: ``(number, inputs)`` of a request, its number from 0 on → status,
            headers and body; or ``None`` for what is right; or ``"hang"``.
        requests: Method, path, headers and number of inputs of each.
    """

    def __init__(self, answer):
        self.metadata = {"classes": CLASSES, "output": "logits", "version": "1"}
        self.version = "1"
        self.answer = answer
        self.speaks = "npy", "json"
        self.requests = []
        self.url = ""
        self.lock = threading.Lock()
        self.ended = threading.Event()

    @property
    def rows(self):
        """Inputs of all requests to predict."""
        return sum(request[3] for request in self.requests)

    def classifier(self, **options):
        """Of this service, quickly out of patience."""
        return HttpClassifier(self.url, **{"patience": QUICK, **options})

    def impatient(self):
        """One that waits for an answer no longer than a moment."""
        return self.classifier(timeout=0.05)


def _handler(service):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # or an answer in two pieces waits for an acknowledgement

        def log_message(self, *_):
            pass

        def reply(self, status, headers, body):
            self.send_response(status)
            headers = {"Content-Length": str(len(body)), **headers}
            if service.version is not None:
                headers.setdefault("X-Model-Version", service.version)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            service.requests.append(("GET", self.path, dict(self.headers), 0))
            found = service.metadata
            if isinstance(found, dict):
                found = 200, {"Content-Type": "application/json"}, json.dumps(found)
            status, headers, body = found
            self.reply(status, headers, body.encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "npy" in self.headers["Content-Type"]:
                if "npy" not in service.speaks:
                    self.reply(415, {}, b"")
                    return
                inputs = np.load(io.BytesIO(body), allow_pickle=False)
            else:
                inputs = np.array(json.loads(body)["inputs"], dtype=np.float32)
            with service.lock:
                posts = [each for each in service.requests if each[0] == "POST"]
                number = len(posts)
                service.requests.append(
                    ("POST", self.path, dict(self.headers), len(inputs))
                )
            answer = service.answer(number, inputs)
            if answer == "hang":
                service.ended.wait()
                return
            self.reply(*(answer or self.right(inputs)))

        def right(self, inputs):
            outputs = function(inputs)
            if "npy" in self.headers["Accept"]:
                return 200, {"Content-Type": "application/x-npy"}, npy(outputs)
            body = json.dumps({"outputs": outputs.tolist()}).encode()
            return 200, {"Content-Type": "application/json; charset=utf-8"}, body

    return Handler


@contextmanager
def serving(answer=lambda number, inputs: None):
    """A service on loopback, as long as this lasts."""
    service = Service(answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(service)) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield service
        finally:
            service.ended.set()
            server.shutdown()
            thread.join()
