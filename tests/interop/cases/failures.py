"""Ends that go away without a word."""

import asyncio
import subprocess

import websockets

from carrier import PATIENCE, PORT
from harness import case, equal, require
from network import KERNEL_INTERFACE, Cut
from raw import TEXT, Raw, frame

from .echo import connect, echoes


@case("failure: the server is killed, clients notice, a new one serves on the same port", carriers=("uring", "dpdk",
                                                                                                    "xdp"))
def server_killed(carrier):
    async def scenario():
        with carrier.serve() as server:
            peers = [await connect(carrier.echo) for _ in range(50)]
            for peer in peers:
                await echoes(peer, "before", "echo")
            server.kill()
        if carrier.kernel:  # its kernel ends the connections
            for peer in peers:
                await asyncio.wait_for(peer.wait_closed(), PATIENCE)
                equal(peer.close_code, 1006, "close code")
        with carrier.serve():
            async with connect(carrier.echo) as fresh:
                await echoes(fresh, "after", "echo")
                if not carrier.kernel:
                    # Nobody was left to say so: the new stack answers a segment of the old connections with RST.
                    for peer in peers:
                        try:
                            await peer.send("anyone?")
                            await asyncio.wait_for(peer.recv(), PATIENCE)
                        except websockets.ConnectionClosedError:
                            pass
                        equal(peer.close_code, 1006, "close code")
                await echoes(fresh, "and after that", "echo")

    asyncio.run(scenario())


@case("failure: clients vanish while others go on, and come back")
def client_vanishes(carrier):
    async def scenario():
        carrier.share()
        async with connect(carrier.echo) as other:
            lost = [await connect(carrier.echo) for _ in range(20)]
            for peer in lost:
                await echoes(peer, "before", "echo")
            with Cut([peer.local_address[1] for peer in lost]):
                for peer in lost:
                    await peer.send("x" * 10_000)  # never arrives
                    peer.transport.abort()         # nor does its RST
                for number in range(500):
                    await echoes(other, f"going on {number}", "echo of another")
            await echoes(other, "afterwards", "echo of another")
            async with connect(carrier.echo) as fresh:
                await echoes(fresh, "back", "echo")

    asyncio.run(scenario())


@case("failure: a client that reads nothing is bounded and harms nobody")
def client_stalls(carrier):
    carrier.share()
    with Raw(carrier.address, PORT).open() as stalled, Raw(carrier.address, PORT).open() as other:
        stalled.socket.settimeout(0.5)
        data = frame(TEXT, b"y" * 60_000)
        sent = 0
        try:
            while sent < 256 << 20:
                sent += stalled.socket.send(data[sent % len(data):])
        except OSError:
            pass  # no more is taken, or the connection is ended: both are bounds
        require(sent < 256 << 20, "the server takes without end what it cannot give back")
        for number in range(500):
            other.send(frame(TEXT, b"%d" % number))
            equal(other.frame(), (TEXT, b"%d" % number), "echo of another")


@case("failure: the link is down for two seconds, and nothing is lost", carriers=("dpdk",))
def link_down(carrier):
    async def scenario():
        carrier.share()
        async with connect(carrier.echo) as peer:
            messages = [f"message {number} " + "z" * 1000 for number in range(2000)]

            async def send():
                for number, message in enumerate(messages):
                    if number == 1000:
                        subprocess.run(["ip", "link", "set", KERNEL_INTERFACE, "down"], check=True)
                        asyncio.get_running_loop().call_later(
                            2, lambda: subprocess.run(["ip", "link", "set", KERNEL_INTERFACE, "up"], check=True))
                    await peer.send(message)

            sending = asyncio.create_task(send())
            for number, message in enumerate(messages):
                equal(await asyncio.wait_for(peer.recv(), PATIENCE), message, f"message {number}")
            await sending

    asyncio.run(scenario())


@case("failure: an abandoned handshake and silent connections harm nobody")
def half_open(carrier):
    carrier.share()
    silent = [Raw(carrier.address, PORT) for _ in range(200)]
    for number, peer in enumerate(silent):
        if number % 2:
            peer.send(b"GET /echo HTTP/1.1\r\nHost:")
    with Raw(carrier.address, PORT).open() as other:
        other.send(frame(TEXT, b"hello"))
        equal(other.frame(), (TEXT, b"hello"), "echo of another")
    for peer in silent:
        peer.socket.close()
