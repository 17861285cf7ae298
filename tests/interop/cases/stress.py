"""Clients that are slow on purpose: requests in single bytes without end, messages that do not go on, Close frames and
answers that nobody reads."""

import contextlib
import os
import selectors
import socket
import subprocess
import tempfile
import time
from collections import Counter

from carrier import PATIENCE, PORT
from harness import Failure, case, equal, require
from network import Cut
from raw import BINARY, CLOSE, PING, TEXT, Ended, Raw, close_payload, frame, upgrade_request

from .tls import PORT as SECURE_PORT
from .tls import secure_server


def trickle(peer, each):
    """Says `each` ten times a second until something is answered."""
    started = time.monotonic()
    peer.socket.settimeout(0.1)
    while not peer._held:
        peer.send(each)
        try:
            peer._more()
        except TimeoutError:
            pass
        require(time.monotonic() - started < PATIENCE, "the server waits without end")
    peer.socket.settimeout(PATIENCE)


@case("stress: a request in single bytes without end gets 408 in time, silence a silent end")
def slow_request(carrier):
    with carrier.serve("--handshake-timeout", "1500ms"):
        for begun in (b"GE", b"GET / HTTP/1.1\r\nHost: a\r\nX",
                      b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"):
            with Raw(carrier.address, PORT) as peer:
                peer.send(begun)
                trickle(peer, b"a")
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


@case("stress: a message that does not go on is closed with 1008, whatever trickles of it")
def slow_message(carrier):
    with carrier.serve("--progress-timeout", "1500ms"):
        for begun, each in ((b"\x81", b""), (frame(TEXT, b"a", fin=False), b""), (frame(BINARY, b"b" * 60_000)[:50], b"b")):
            with Raw(carrier.address, PORT).open() as peer:
                peer.send(begun)
                trickle(peer, each)
                opcode, payload = peer.frame()
                equal((opcode, payload[:2]), (CLOSE, close_payload(1008)), f"answer to {begun[:2]!r}")


@case("stress: who does not read is read no more and ended in time, or closed with 1013")
def slow_reader(carrier):
    def fill(peer):
        """Sends what is echoed until the server takes no more."""
        message = frame(BINARY, bytes(60_000))
        peer.socket.settimeout(1)
        sent = 0
        try:
            while sent < 256 << 20:
                peer.send(message)
                sent += len(message)
        except TimeoutError:
            pass
        require(sent < 128 << 20, "the server reads from who does not read")
        peer.socket.settimeout(PATIENCE)

    with carrier.serve("--progress-timeout", "3s", "--send-limit", "256KiB"), \
            Raw(carrier.address, PORT).open() as other, Raw(carrier.address, PORT).open() as peer:
        fill(peer)
        started = time.monotonic()
        try:
            while True:  # writing tells it that the connection is over, as reading would
                time.sleep(0.2)
                peer.socket.send(b"")
                if peer.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    break
                require(time.monotonic() - started < PATIENCE, "the server waits without end")
        except OSError:
            pass
        other.send(frame(TEXT, b"meanwhile"))
        equal(other.frame(), (TEXT, b"meanwhile"), "echo for another")

    with carrier.serve("--slow-reader", "close", "--send-limit", "256KiB"), Raw(carrier.address, PORT).open() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        for _ in range(400):  # 24 MB, more than the sockets of both ends hold
            peer.send(frame(BINARY, bytes(60_000)))
        echoes = 0
        opcode, payload = peer.frame()
        while opcode == BINARY:
            echoes += 1
            opcode, payload = peer.frame()
        equal((opcode, payload[:2]), (CLOSE, close_payload(1013)), "what stands behind the echoes")
        require(0 < echoes < 400, f"{echoes} of 400 messages were echoed")


@case("stress: peers that vanish are noticed, by pings, by TCP's probes, and by what they leave unacknowledged")
def half_open(carrier):
    def room_for_another(options):
        """With room for one connection, another is let in when the first is known to be gone."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with Raw(carrier.address, PORT, patience=1) as other:
                    other.open()
                    return
            except (Ended, OSError):
                time.sleep(0.2)
        raise Failure(f"with {options} the server never notices that its peer is gone")

    for options, unread in ((("--ping-interval", "1s"), 0),
                            (("--ping-interval", "0", "--keep-alive", "1s"), 0),
                            (("--ping-interval", "0", "--user-timeout", "2s", "--progress-timeout", "0"), 1 << 20)):
        with carrier.serve("--max-connections", "1", *options), Raw(carrier.address, PORT).open() as lost:
            lost.send(frame(TEXT, b"before"))
            equal(lost.frame(), (TEXT, b"before"), "echo")
            if unread:
                lost.send(frame(BINARY, bytes(unread)))
            time.sleep(0.3)  # the echo is acknowledged: TCP probes only who owes it nothing
            with Cut([lost.port]):
                room_for_another(options)


@case("stress: 200 slow connections in each phase at once end in time, hold little, and delay nobody")
def slow_in_every_phase(carrier):
    def memory(server):
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS:"))

    phases = {  # what it begins with; what trickles
        "a request line": (b"GET /", b"a"),
        "a field": (b"GET / HTTP/1.1\r\nHost: ", b"a"),
        "content": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", b"a"),
        "a TLS hello": (b"\x16\x03\x01\x02\x00\x01", b"\0"),
        "half a frame": (upgrade_request((carrier.address, PORT)) + frame(BINARY, bytes(60_000))[:500], b"a"),
        "a message without end": (upgrade_request((carrier.address, PORT)) + frame(TEXT, b"a", fin=False),
                                  frame(PING)),
    }
    with secure_server(carrier, "--handshake-timeout", "3s", "--progress-timeout", "3s") as (server, _), \
            contextlib.ExitStack() as stack, selectors.DefaultSelector() as slow:
        normal = stack.enter_context(Raw(carrier.address, PORT).open())
        before = memory(server)
        for phase, (begun, _) in phases.items():
            for _ in range(200):
                peer = stack.enter_context(Raw(carrier.address, SECURE_PORT if "TLS" in phase else PORT))
                peer.send(begun)
                peer.socket.setblocking(False)
                slow.register(peer.socket, selectors.EVENT_READ, phase)
        started = time.monotonic()
        most = 0
        while slow.get_map():
            asked = time.monotonic()
            normal.send(frame(TEXT, b"normal"))
            equal(normal.frame(), (TEXT, b"normal"), "echo")
            require(time.monotonic() - asked < 2, f"an echo took {time.monotonic() - asked:.1f} s")
            most = max(most, memory(server))
            left = Counter(key.data for key in slow.get_map().values())
            require(time.monotonic() - started < PATIENCE, f"the server waits without end for {left}")
            for key in list(slow.get_map().values()):
                try:
                    key.fileobj.send(phases[key.data][1])
                except OSError:
                    pass
            wakes = time.monotonic() + 0.5
            while (wait := wakes - time.monotonic()) > 0:
                for key, _ in slow.select(wait):
                    try:
                        ended = not key.fileobj.recv(65536)
                    except OSError:
                        ended = True
                    if ended:
                        slow.unregister(key.fileobj)
        took = time.monotonic() - started
        require(took > 1.5, f"all had ended after {took:.1f} s")
        # A block of 16 KiB each, and the sockets' or the stack's own.
        require(most - before < 1200 * (32 << 10), f"{most - before} bytes are held for 1200 slow connections")
