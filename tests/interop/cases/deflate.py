"""permessage-deflate (RFC 7692) with real peers: every window, with takeover and without, both ends' wishes."""

import asyncio

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from harness import case, equal, require
from .echo import SIZES, binary_of, connect, echoes, node, text_of


async def exchange(url, messages, **offer):
    async with connect(url, compression=None, extensions=[ClientPerMessageDeflateFactory(**offer)]) as peer:
        require(len(peer.extensions) == 1, f"nothing agreed on for {offer}")
        for number, message in enumerate(messages):
            await echoes(peer, message, f"message {number} under {peer.extensions}")
        await peer.ping(b"between")
        return peer.extensions[0]


@case("deflate: recorded messages and all sizes, takeover on and off, websockets")
def agreements(carrier, recording):
    messages = [m for size in SIZES for m in (text_of(size), binary_of(size))] + recording.messages[:1000]
    for mode in ("on", "takeover"):
        with carrier.serve("--deflate", mode):
            for demanded in (False, True):
                agreed = asyncio.run(exchange(
                    carrier.echo, messages,
                    server_no_context_takeover=demanded, client_no_context_takeover=demanded))
                none = demanded or mode == "on"
                equal((agreed.remote_no_context_takeover, agreed.local_no_context_takeover), (none, none),
                      "no context takeover")


@case("deflate: every window the peer can have, websockets")
def windows(carrier, recording):
    messages = [text_of(70_000), binary_of(70_000)] + recording.messages[:100]
    with carrier.serve("--deflate", "takeover"):
        for bits in range(9, 16):
            agreed = asyncio.run(exchange(carrier.echo, messages, server_max_window_bits=bits,
                                          client_max_window_bits=bits))
            equal((agreed.remote_max_window_bits, agreed.local_max_window_bits), (bits, bits), "windows")


@case("deflate: recorded messages pipelined and all sizes, Node ws")
def node_ws(carrier, recording):
    for mode in ("on", "takeover"):
        with carrier.serve("--deflate", mode):
            node("pipelined", carrier.echo, recording.path, extensions="permessage-deflate")
            node("sizes", carrier.echo, *SIZES, extensions="permessage-deflate")


@case("deflate: many connections beyond the memory for takeover, websockets")
def memory(carrier):
    async def scenario():
        peers = [await connect(carrier.echo) for _ in range(40)]
        agreed = [peer.extensions[0].remote_no_context_takeover for peer in peers]
        require(not agreed[0] and agreed[-1], f"takeover given up when memory is short: {agreed}")
        for turn in range(3):
            for peer in peers:
                await echoes(peer, text_of(1000 + turn), "a message")
        for peer in peers:
            await peer.close()

    with carrier.serve("--deflate", "takeover", "--deflate-memory", "1MiB"):
        asyncio.run(scenario())
