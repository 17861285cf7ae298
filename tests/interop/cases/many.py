"""Many connections of the kernel's TCP at once."""

import asyncio
import re
import signal

from carrier import PATIENCE
from harness import case, equal, require

from .echo import binary_of, connect, echoes

CONNECTIONS = 2000
CONNECTING = 100  # at a time


@case(f"many: {CONNECTIONS:,} connections at once, each verified, all alive at the end")
def many(carrier):
    carrier.share()

    async def scenario():
        gate = asyncio.Semaphore(CONNECTING)

        async def open_one():
            async with gate:
                return await connect(carrier.echo)

        peers = await asyncio.gather(*(open_one() for _ in range(CONNECTIONS)))

        async def talk(number, peer):
            for turn in range(3):
                await echoes(peer, f"{number} says {turn}", f"connection {number}")
            await echoes(peer, number.to_bytes(4, "little") + binary_of(number), f"connection {number}")

        await asyncio.gather(*(talk(number, peer) for number, peer in enumerate(peers)))
        for number, peer in enumerate(peers):
            require(peer.open, f"connection {number} is over: {peer.close_code}")
            await echoes(peer, f"{number} is alive", f"connection {number}")

        async def close_one(peer):
            async with gate:
                await peer.close()
                equal(peer.close_rcvd and peer.close_rcvd.code, 1000, "close")

        # Half leave in order, half without a word.
        for peer in peers[1::2]:
            peer.transport.abort()
        await asyncio.gather(*(close_one(peer) for peer in peers[::2]))

        async with connect(carrier.echo) as peer:
            await echoes(peer, "still here", "a connection after them")

    asyncio.run(scenario())


@case("many: 2,000 connections one after the other")
def churn(carrier):
    carrier.share()

    async def scenario():
        async def worker(share):
            for number in range(share):
                async with connect(carrier.echo) as peer:
                    await echoes(peer, str(number), "echo")

        await asyncio.gather(*(worker(100) for _ in range(20)))

    asyncio.run(scenario())


@case("many: two shards share 200 connections between them")
def shards(carrier):
    async def scenario():
        peers = [await connect(carrier.echo) for _ in range(200)]
        for turn in range(5):
            await asyncio.gather(*(echoes(peer, f"{number}, {turn}", "echo") for number, peer in enumerate(peers)))
        for peer in peers:
            await peer.close()

    with carrier.serve_in_shards(2) as server:
        asyncio.run(scenario())
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "exit status")
        served = [(int(opened), int(messages)) for opened, messages in
                  re.findall(r"shard \d+ on core \d+ opened (\d+) WebSockets and received (\d+) messages", server.said())]
    equal(len(served), 2, "shards that said what they served")
    equal(sum(opened for opened, _ in served), 200, "connections of both shards")
    for opened, messages in served:
        require(opened > 0, f"every shard has connections: {served}")
        equal(messages, opened * 5, "messages of a shard: those of its own connections")
