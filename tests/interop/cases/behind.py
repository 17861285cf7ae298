"""The server behind reverse proxies: nginx and HAProxy, as HTTP proxies, and below HTTP with the PROXY protocol."""

import asyncio

from carrier import PATIENCE
from certificates import Certificates
from harness import case, equal, require
from network import KERNEL_ADDRESS
from proxies import haproxy, nginx
from raw import TEXT, Raw, frame, upgrade_request

from .echo import binary_of, connect, echoes, node, text_of
from .tls import PORT as SECURE_PORT
from .tls import secure_server, trusting

HOST, PORT = "127.0.0.1", 9004
PROXY = f"{HOST}:{PORT}"
CLIENT = "127.0.0.5"  # whom the proxies speak for
SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20]
LONGEST = 16 << 20  # plain; zlib needs seconds for as much
HTTP = {"nginx": nginx, "HAProxy": haproxy}


async def exchange(url, sizes=(*SIZES, LONGEST), compression=None, **options):
    async with connect(url, compression=compression, **options) as peer:
        equal(len(peer.extensions), 1 if compression else 0, "extensions")
        for size in sizes:
            await echoes(peer, text_of(size), f"text of {size}")
            await echoes(peer, binary_of(size), f"binary of {size}")
        await peer.close(4321, "until then")
        equal(peer.close_rcvd and peer.close_rcvd.code, 4321, "the code that came back")


def register(name, proxy):
    @case(f"behind: {name} passes on every size, fragments, closes from either side; wss ends at it")
    def passes_on(carrier):
        with carrier.serve("--deflate", "takeover") as server:
            with proxy(PROXY, carrier.origin):
                asyncio.run(exchange(f"ws://{PROXY}/echo"))
                asyncio.run(exchange(f"ws://{PROXY}/echo", SIZES, "deflate"))
                node("fragments", f"ws://{PROXY}/echo", extensions="permessage-deflate")
                node("close", f"ws://{PROXY}/echo", 1000, 4999, extensions="permessage-deflate")
            with Certificates() as certificates:
                certificates.make("proxy", f"IP:{HOST}")
                with proxy(PROXY, carrier.origin, certificate=certificates.pair("proxy")):
                    asyncio.run(exchange(f"wss://{PROXY}/echo", ssl=trusting(certificates)))
                with proxy(PROXY, carrier.origin):
                    node("server-closes", f"ws://{PROXY}/echo", server.pid, 1001, extensions="permessage-deflate")
            equal(server.wait(PATIENCE), 0, "exit status")

    @case(f"behind: {name} says whom it speaks for, X-Forwarded-For and Forwarded, and is believed where it is trusted")
    def forwarded(carrier):
        ours = HOST if carrier.kernel else KERNEL_ADDRESS
        more = {"more": 'option forwardfor\n    http-request set-header Forwarded "for=%[src]"'} if proxy is haproxy else {}
        with proxy(PROXY, carrier.origin, **more):
            for options in (["--trust-forwarded", ours],
                            ["--trust-forwarded", ours, "--forwarded-header", "forwarded"]):
                with carrier.serve(*options) as server:
                    refused()
                    server.wait_for_line(f"millrace: refused peer={CLIENT}:0 status=403", PATIENCE)
            with carrier.serve() as server:
                refused()
                line = server.wait_for_line("millrace: refused peer=", PATIENCE)
                require(f"peer={ours}:" in line, f"believed untold: {line}")


def refused():
    """A client at CLIENT that is not let in, so that it is in the log: from which port it came."""
    with Raw(HOST, PORT, source=CLIENT) as peer:
        peer.send(upgrade_request((HOST, PORT), Origin="http://elsewhere.example"))
        equal(peer.response()[0], 403, "status")
        return peer.port


for its_name, its_proxy in HTTP.items():
    register(its_name, its_proxy)


@case("behind: the PROXY protocol as HAProxy (v1, v2, over HTTP and TCP) and nginx (v1) speak it")
def proxy_protocol(carrier):
    starts = [(haproxy, {"send": send, "mode": mode, "more": ""}) for send in ("send-proxy", "send-proxy-v2")
              for mode in ("http", "tcp")] + [(nginx, {"stream": True})]
    with carrier.serve("--proxy-protocol", "on") as server:
        for proxy, options in starts:
            with proxy(PROXY, carrier.origin, **options):
                with Raw(HOST, PORT, source=CLIENT) as peer:
                    peer.open(then=frame(TEXT, b"hello"))
                    equal(peer.frame(), (TEXT, b"hello"), f"echo behind {options}")
                asyncio.run(exchange(f"ws://{PROXY}/echo", SIZES))
                server.wait_for_line(f"millrace: refused peer={CLIENT}:{refused()} status=403", PATIENCE)


@case("behind: the PROXY protocol before TLS, from HAProxy and nginx, which pass it on unseen")
def proxy_protocol_before_tls(carrier):
    with secure_server(carrier, "--proxy-protocol", "on", alternatives=f"IP:{HOST}") as (_, certificates):
        for proxy, options in ((haproxy, {"send": "send-proxy-v2", "mode": "tcp", "more": ""}), (nginx, {"stream": True})):
            with proxy(PROXY, f"{carrier.address}:{SECURE_PORT}", **options):
                asyncio.run(exchange(f"wss://{PROXY}/echo", SIZES, ssl=trusting(certificates)))
