"""Clients that are slow on purpose: requests in single bytes without end, answers that nobody reads."""

import os
import subprocess
import tempfile
import time

from carrier import PATIENCE, PORT
from harness import case, equal, require
from raw import Raw


@case("stress: a request in single bytes without end gets 408 in time, silence a silent end")
def slow_request(carrier):
    with carrier.serve("--handshake-timeout", "1500ms"):
        for begun in (b"GE", b"GET / HTTP/1.1\r\nHost: a\r\nX",
                      b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"):
            with Raw(carrier.address, PORT) as peer:
                peer.send(begun)
                started = time.monotonic()
                peer.socket.settimeout(0.1)
                while not peer._held:
                    peer.send(b"a")
                    try:
                        peer._more()
                    except TimeoutError:
                        pass
                    require(time.monotonic() - started < PATIENCE, "the server waits without end")
                peer.socket.settimeout(PATIENCE)
                equal(peer.response()[0], 408, f"status after {begun!r}")
        with Raw(carrier.address, PORT) as silent:
            equal(silent.ended(), b"", "said to who was silent")


@case("stress: many large files asked for at once and read late all come whole")
def late_reader(carrier):
    with tempfile.TemporaryDirectory() as place:
        content = os.urandom(3 << 20)
        with open(os.path.join(place, "big"), "wb") as file:
            file.write(content)
        with carrier.serve("--www", place), Raw(carrier.address, PORT) as peer:
            peer.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
            time.sleep(1)
            for number in range(20):
                code, _, body = peer.response()
                require(code == 200 and body == content, f"file {number} is not what it was: {code}, {len(body)} bytes")
            peer.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            equal(peer.response()[2], b"ok\n", "/healthz")


@case("stress: curl uploads, with and without Expect, in chunks, too long; its connection goes on")
def uploads(carrier):
    def curl(*arguments, content):
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n", *arguments],
                              input=content, capture_output=True, timeout=PATIENCE)
        return done.stdout.decode().split("\n")[:-1]

    carrier.share()
    page = f"http://{carrier.origin}/healthz"
    small, long = b"x" * 40_000, b"x" * 1_000_000
    for kind in (["-H", "Expect: 100-continue"], ["-H", "Expect:"],
                 ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"],
                 ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]):
        upload = ["-X", "POST", "--data-binary", "@-", *kind, page]
        equal(curl(*upload, "--next", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n", page,
                   content=small), ["405 1", "200 0"], f"{kind}, then a page on the same connection")
        equal(curl(*upload, content=long)[0].split()[0], "413", f"{kind}, too long")
