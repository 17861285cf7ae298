"""SIGTERM and SIGINT: 1001 (going away, RFC 6455 section 7.4.1) to all, then exit status 0; a second signal ends at once."""

import asyncio
import contextlib
import signal
import time

from carrier import PATIENCE, PORT
from harness import case, equal, require
from network import Cut
from raw import BINARY, TEXT, Raw, frame, upgrade_request

from .echo import connect, echoes, node
from .tls import PORT as SECURE_PORT
from .tls import secure_server, trusting


@case("drain: SIGTERM says 1001 to 200 clients and exits 0", carriers=("uring", "dpdk", "xdp"))
def terminate(carrier):
    drained(carrier, signal.SIGTERM)


@case("drain: SIGINT does the same")
def interrupt(carrier):
    drained(carrier, signal.SIGINT)


def drained(carrier, number):
    async def scenario():
        with carrier.serve() as server:
            peers = [await connect(carrier.echo) for _ in range(200)]
            for peer in peers:
                await echoes(peer, "before", "echo")
            server.signal(number)
            for peer in peers:
                await asyncio.wait_for(peer.wait_closed(), PATIENCE)
                equal(peer.close_rcvd and peer.close_rcvd.code, 1001, "close code")
            equal(await asyncio.to_thread(server.wait, PATIENCE), 0, "exit status")

    asyncio.run(scenario())


@case("drain: with nobody connected it exits 0")
def idle(carrier):
    with carrier.serve() as server:
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "exit status")


@case("drain: Node ws hears 1001")
def node_hears(carrier):
    with carrier.serve() as server:
        node("server-closes", carrier.echo, server.pid, 1001)
        equal(server.wait(PATIENCE), 0, "exit status")


@case("drain: clients that have vanished do not hold it for ever")
def vanished(carrier):
    with carrier.serve() as server, Raw(carrier.address, PORT).open() as lost, \
            Raw(carrier.address, PORT).open() as idle_request:
        lost.send(frame(TEXT, b"before"))
        equal(lost.frame(), (TEXT, b"before"), "echo")
        with Cut([lost.port, idle_request.port]):
            server.signal(signal.SIGTERM)
            equal(server.wait(PATIENCE), 0, "exit status")


@case("drain: who answers nothing is cut when the time is over, and the exit status is 0, plain and wss")
def stragglers(carrier):
    with secure_server(carrier, "--drain-timeout", "2s", "--progress-timeout", "0") as (server, certificates), \
            contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Raw(carrier.address, PORT)) for _ in range(4)]
        peers[0].open()                                       # answers no Close
        peers[1].open().send(frame(BINARY, bytes(60_000))[:99])  # is in the middle of a frame
        peers[2].send(b"GET / HTTP/1.1\r\nX: ")
        peers[3].open()
        peers[3].socket.settimeout(1)
        with contextlib.suppress(TimeoutError):               # does not read what it has asked for
            peers[3].send(frame(BINARY, bytes(20_000)) * 1000)
        half = stack.enter_context(Raw(carrier.address, SECURE_PORT))
        half.send(b"\x16\x03\x01\x02\x00\x01")
        secured = stack.enter_context(trusting(certificates).wrap_socket(
            stack.enter_context(Raw(carrier.address, SECURE_PORT)).socket, server_hostname="localhost"))
        secured.sendall(upgrade_request((carrier.address, SECURE_PORT)))
        require(secured.recv(4096).startswith(b"HTTP/1.1 101 "), "it is not let in over wss")
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "exit status")
        took = time.monotonic() - started
        require(1.5 < took < 4, f"the drain took {took:.1f} s")


@case("drain: a second signal ends it at once")
def twice(carrier):
    with carrier.serve() as server, Raw(carrier.address, PORT).open() as lost:
        with Cut([lost.port]):
            server.signal(signal.SIGTERM)
            time.sleep(0.3)
            require(server.running, "it did not wait for the client's close frame")
            server.signal(signal.SIGTERM)
            started = time.monotonic()
            server.wait(PATIENCE)
            require(time.monotonic() - started < 2, "it went on after the second signal")
