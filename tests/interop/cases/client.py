"""Millrace as a client (peer/caller.cc, by the public interface) of servers of other makes, and of such behind nginx and
HAProxy.

Every server echoes, long messages in fragments with pings between them. It answers the text "compression" with "deflate"
or "plain", whichever was agreed on, and closes when it is asked to: "close 4002 as asked"."""

import asyncio
import contextlib
import os
import ssl
import subprocess
import threading

import websockets

from carrier import PATIENCE
from certificates import Certificates
from harness import Skip, case, equal, require
from network import KERNEL_ADDRESS
from process import Process
from proxies import haproxy, nginx

from .echo import HERE

SERVER_PORT = 9002
BEHIND = 9003  # a server's port behind a proxy
# Many times 16 MiB, through a peer in another language, on a busy machine.
LONG = 4 * PATIENCE
FRAGMENTED = 1000  # bytes or characters, from which on an echo is cut


async def in_fragments(peer, message):
    third = len(message) // 3
    for part in (message[:third], message[third:2 * third], message[2 * third:]):
        yield part
        await peer.ping()


async def echo(peer):
    async for message in peer:
        if message == "compression":
            await peer.send("deflate" if peer.extensions else "plain")
        elif message == "close 4002 as asked":
            await peer.close(4002, "as asked")
        else:
            await peer.send(message if len(message) < FRAGMENTED else in_fragments(peer, message))


@contextlib.contextmanager
def python_server(address=KERNEL_ADDRESS, certificate=None, port=SERVER_PORT):
    """python3-websockets, in a thread of its own; `certificate`: a PEM file and its key, for wss."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = loop.create_future()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    async def serve():
        async with websockets.serve(echo, address, port, max_size=None, ping_interval=None, ssl=context):
            started.set()
            await stop

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    started.wait(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set_result, None)
        thread.join(PATIENCE)


def python_servers():
    """One on the kernel's side, plain and then wss: what it is, its URL, and what `millrace` needs to believe it."""
    with python_server():
        yield "plain", f"ws://{KERNEL_ADDRESS}:{SERVER_PORT}/", ()
    with Certificates() as certificates:
        certificates.make("server", f"IP:{KERNEL_ADDRESS}")
        with python_server(certificate=certificates.pair("server")):
            yield "wss", f"wss://{KERNEL_ADDRESS}:{SERVER_PORT}/", ("--ca", certificates.ca)


@contextlib.contextmanager
def listening(*command):
    with Process([*command]) as server:
        server.wait_for_line("listening", PATIENCE)
        yield


def node_server(_, address, certificate=None):
    return listening("node", os.path.join(HERE, "node/echo-server.js"), address, str(SERVER_PORT), *(certificate or ()))


def gorilla_server(carrier, address, certificate=None):
    program = carrier.program("tests/interop/gorilla-server")
    if not os.path.exists(program):
        raise Skip("gorilla-server is not built: go or its packages are not installed (scripts/setup)")
    return listening(program, address, str(SERVER_PORT), *(certificate or ()))


def behind(proxy):
    @contextlib.contextmanager
    def start(_, address, certificate=None):
        with python_server(address, port=BEHIND), \
                proxy(f"{address}:{SERVER_PORT}", f"{address}:{BEHIND}", certificate=certificate):
            yield

    return start


class Server:
    """One to be called; `plain` and `secured` are the ways of compression that are tried over ws and wss."""

    def __init__(self, start, plain=("off", "on", "takeover"), secured=("takeover",)):
        self.start, self.plain, self.secured = start, plain, secured


SERVERS = {
    "python3-websockets": Server(lambda _, address, certificate=None: python_server(address, certificate)),
    "Node's ws": Server(node_server),
    "gorilla/websocket": Server(gorilla_server),
    # To a proxy all are bytes.
    "nginx with websockets behind": Server(behind(nginx), plain=("on",), secured=("off",)),
    "HAProxy with websockets behind": Server(behind(haproxy), plain=("on",), secured=("off",)),
}


def address_of(carrier):
    """Where a server of the kernel's is to be for the carrier's calls."""
    return "127.0.0.1" if carrier.kernel else KERNEL_ADDRESS


def call(carrier, scenario, *options, server=None, scheme="ws"):
    """One run of the caller, which judges for itself: exit status and standard error."""
    carrier.stop()
    host = server or address_of(carrier)
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{SERVER_PORT}/"
    done = subprocess.run(carrier.place(carrier.program("tests/interop/caller"), scenario, *carrier.net_options(), *options, url),
                          capture_output=True, text=True, timeout=LONG)
    return done.returncode, done.stderr


def succeeds(carrier, scenario, *options, **more):
    status, said = call(carrier, scenario, *options, **more)
    equal((status, said), (0, ""), f"{scenario} {' '.join(options)}")


def register(name, server):
    def calls_all(carrier, ways, *options, **more):
        for deflate in ways:
            succeeds(carrier, "exchange", "--deflate", deflate, *options, **more)
        succeeds(carrier, "close", *options, **more)

    @case(f"client: calls {name}: every size, fragments, compression {'/'.join(server.plain)}, closes from either side")
    def plain(carrier):
        with server.start(carrier, address_of(carrier)):
            calls_all(carrier, server.plain)

    @case(f"client: calls {name} over wss: the same, compression {'/'.join(server.secured)}")
    def secured(carrier):
        with Certificates() as certificates:
            certificates.make("server", f"IP:{address_of(carrier)}")
            with server.start(carrier, address_of(carrier), certificates.pair("server")):
                calls_all(carrier, server.secured, "--ca", certificates.ca, scheme="wss")


for its_name, its_server in SERVERS.items():
    register(its_name, its_server)


@case("client: a port on which nobody listens is refused")
def nobody_listens(carrier):
    status, said = call(carrier, "brief")
    equal(status, 1, "exit status")
    require("refused" in said, f"does not say so: {said}")


@case("client: a handler that aborts its connection ends the program", carriers=("uring",))
def aborted(carrier):
    carrier.share()  # which echoes the question
    done = subprocess.run([carrier.program("tests/interop/caller"), "brief", carrier.echo], capture_output=True, text=True,
                          timeout=PATIENCE)
    equal((done.returncode, done.stderr), (1, "caller: compression: compression, not plain\n"), "status and what is said")
