"""python3-websockets and Node's ws as clients of /echo."""

import array
import asyncio
import os
import subprocess

import websockets

from carrier import PATIENCE
from harness import Failure, case, equal, require

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIZES = [0, 1, 125, 126, 127, 1000, 65535, 65536, 1 << 20, 4 << 20]
ONE_BY_ONE = 3000


def connect(url, **options):
    """Compression is offered, as the library does by default; heartbeats are the tests' own business."""
    return websockets.connect(url, max_size=None, max_queue=None, ping_interval=None, open_timeout=PATIENCE,
                              close_timeout=PATIENCE, **options)


def text_of(size):
    """Text of so many bytes in characters of one to four bytes; no two of its pages are alike."""
    parts, have = [], 0
    for number in range(size):
        part = f"{number} Grüße €𝄞 "
        if have + len(part.encode()) > size:
            break
        parts.append(part)
        have += len(part.encode())
    return "".join(parts) + "." * (size - have)


def binary_of(size):
    return array.array("I", range(size // 4 + 1)).tobytes()[:size]


async def echoes(peer, message, what):
    await peer.send(message)
    equal(await peer.recv(), message, what)


def node(*arguments, extensions=""):
    """Runs a scenario of node/client.js, which judges for itself; `extensions` are those to be agreed on."""
    done = subprocess.run(["node", os.path.join(HERE, "node/client.js"), *map(str, arguments)], capture_output=True,
                          text=True, env={**os.environ, "EXPECTED_EXTENSIONS": extensions})
    if done.returncode != 0:
        raise Failure(f"node/client.js {arguments[0]}: status {done.returncode}\n{done.stdout}{done.stderr}")


@case("echo: every recorded message, pipelined, websockets", carriers=("uring", "dpdk", "xdp"))
def recording_pipelined(carrier, recording):
    carrier.share()

    async def scenario():
        async with connect(carrier.echo) as peer:
            equal(peer.extensions, [], "extensions")

            async def send():
                for message in recording.messages:
                    await peer.send(message)

            sending = asyncio.create_task(send())
            for number, message in enumerate(recording.messages):
                equal(await peer.recv(), message, f"message {number}")
            await sending

    asyncio.run(scenario())


@case("echo: recorded messages one by one, websockets")
def recording_one_by_one(carrier, recording):
    carrier.share()

    async def scenario():
        async with connect(carrier.echo) as peer:
            for number, message in enumerate(recording.messages[:ONE_BY_ONE]):
                await echoes(peer, message, f"message {number}")

    asyncio.run(scenario())


@case("echo: every recorded message, pipelined, Node ws", carriers=("uring", "dpdk", "xdp"))
def recording_pipelined_node(carrier, recording):
    carrier.share()
    node("pipelined", carrier.echo, recording.path)


@case("echo: recorded messages one by one, Node ws")
def recording_one_by_one_node(carrier, recording):
    carrier.share()
    node("one-by-one", carrier.echo, recording.path, ONE_BY_ONE)


@case("echo: texts and binaries of 0 B to 4 MiB, websockets", carriers=("uring", "dpdk", "xdp"))
def sizes(carrier):
    carrier.share()

    async def scenario():
        async with connect(carrier.echo) as peer:
            for size in SIZES:
                await echoes(peer, text_of(size), f"text of {size}")
                await echoes(peer, binary_of(size), f"binary of {size}")

    asyncio.run(scenario())


@case("echo: texts and binaries of 0 B to 4 MiB, Node ws")
def sizes_node(carrier):
    carrier.share()
    node("sizes", carrier.echo, *SIZES)


@case("echo: a client that reads late loses nothing")
def reads_late(carrier):
    """More than all buffers on the way hold, in messages small and large."""
    carrier.share()
    sizes = ([4 << 20] * 3 + list(range(2000)) + [1 << 20] * 8 + [70_000] * 100) * 2

    async def scenario():
        async with connect(carrier.echo) as peer:
            async def send():
                for size in sizes:
                    await peer.send(binary_of(size))

            sending = asyncio.create_task(send())
            peer.transport.pause_reading()
            await asyncio.sleep(1)
            peer.transport.resume_reading()
            for number, size in enumerate(sizes):
                equal(await peer.recv(), binary_of(size), f"message {number} of {size}")
            await sending

    asyncio.run(scenario())


@case("echo: fragments with pings between them, websockets")
def fragments(carrier):
    carrier.share()

    async def scenario():
        async with connect(carrier.echo) as peer:
            pongs = []

            async def parts(whole, size):
                for start in range(0, len(whole), size):
                    yield whole[start:start + size]
                    pongs.append(await peer.ping(str(start)))

            for whole in (text_of(3000), binary_of(3000), text_of(200_000), binary_of(200_000)):
                for size in (len(whole) // 3, max(1, len(whole) // 100)):
                    await peer.send(parts(whole, size))
                    equal(await peer.recv(), whole, f"{len(whole)} in fragments of {size}")
            require(len(pongs) > 400, "no pings were sent")
            await asyncio.wait_for(asyncio.gather(*pongs), PATIENCE)

    asyncio.run(scenario())


@case("echo: fragments with pings between them, Node ws")
def fragments_node(carrier):
    carrier.share()
    node("fragments", carrier.echo)


@case("echo: pings of every size are answered with their payload, websockets")
def pings(carrier):
    carrier.share()

    async def scenario():
        async with connect(carrier.echo) as peer:  # the library matches pongs by payload
            for size in range(126):
                await asyncio.wait_for(await peer.ping(bytes([size]) * size), PATIENCE)

    asyncio.run(scenario())


@case("close: the client's code comes back, websockets")
def close(carrier):
    carrier.share()

    async def scenario():
        for code in (1000, 1001, 1003, 1011, 3000, 3999, 4000, 4999):
            peer = await connect(carrier.echo)
            await echoes(peer, f"before {code}", "echo")
            await peer.close(code, "until then")
            require(peer.close_rcvd is not None, f"code {code}: no close frame came back")
            equal(peer.close_rcvd.code, code, "the code that came back")

    asyncio.run(scenario())


@case("close: the client's code comes back, Node ws")
def close_node(carrier):
    carrier.share()
    node("close", carrier.echo, 1000, 1001, 1003, 1011, 3000, 3999, 4000, 4999)


@case("close: what was sent before it is echoed first")
def close_after_messages(carrier):
    carrier.share()

    async def scenario():
        peer = await connect(carrier.echo)
        messages = [text_of(size) for size in range(1000)]
        for message in messages:
            await peer.send(message)
        closing = asyncio.create_task(peer.close(1000))
        got = [message async for message in peer]
        await closing
        equal(got, messages, "messages before the close")

    asyncio.run(scenario())
