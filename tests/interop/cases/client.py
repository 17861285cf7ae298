"""The stack as a client of servers on the kernel's TCP."""

import asyncio
import contextlib
import os
import ssl
import subprocess
import threading

import websockets

from carrier import PATIENCE
from harness import case, equal, require
from network import KERNEL_ADDRESS, STACK_CIDR
from process import Process

from .echo import HERE

SERVER_PORT = 9002


@contextlib.contextmanager
def python_server(address=KERNEL_ADDRESS, certificate=None):
    """An echo server of python3-websockets, in a thread of its own; `certificate`: a PEM file and its key, for wss."""
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = loop.create_future()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    async def echo(peer):
        async for message in peer:
            await peer.send(message)

    async def serve():
        async with websockets.serve(echo, address, SERVER_PORT, max_size=None, ssl=context):
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


@contextlib.contextmanager
def node_server():
    with Process(["node", os.path.join(HERE, "node/echo-server.js"), KERNEL_ADDRESS, str(SERVER_PORT)]) as server:
        server.wait_for_line("listening", PATIENCE)
        yield


def call(carrier, messages, size, *options, server=KERNEL_ADDRESS, cidr=STACK_CIDR, scheme="ws"):
    """One run of stack-client, which verifies every echo: exit status and standard error."""
    carrier.stop()
    done = subprocess.run(carrier.place(carrier.program("tests/interop/stack-client"), "--eal", carrier.eal,
                                        "--ip", cidr, "--messages", str(messages), "--bytes", str(size), *options,
                                        f"{scheme}://{f'[{server}]' if ':' in server else server}:{SERVER_PORT}/"), capture_output=True, text=True)
    return done.returncode, done.stderr


def echoes(carrier):
    for messages, size in ((1000, 0), (1000, 32), (1000, 125), (1000, 126), (200, 5000), (50, 65536), (4, 1 << 20)):
        status, said = call(carrier, messages, size)
        equal(status, 0, f"exit status, {messages} messages of {size}: {said}")


@case("client: the stack calls a websockets server", carriers=("dpdk",))
def calls_python(carrier):
    with python_server():
        echoes(carrier)


@case("client: the stack calls a Node ws server", carriers=("dpdk",))
def calls_node(carrier):
    with node_server():
        echoes(carrier)


@case("client: a port on which nobody listens is refused", carriers=("dpdk",))
def nobody_listens(carrier):
    status, said = call(carrier, 1, 32)
    equal(status, 1, "exit status")
    require("refused" in said, f"does not say so: {said}")
