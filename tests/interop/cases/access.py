"""Who may open a WebSocket, and whom the server takes its peers for."""

import struct

from carrier import PATIENCE, PORT
from harness import case, equal, require
from raw import TEXT, Ended, Raw, frame, upgrade_request

from .tls import PORT as SECURE_PORT
from .tls import secure_server, trusting


def status(carrier, path="/echo", before=b"", **fields):
    with Raw(carrier.address, PORT) as peer:
        peer.send(before + upgrade_request((carrier.address, PORT), path, **fields))
        try:
            return peer.response()[0]
        except Ended:
            return None


@case("access: a token in a header, the query or a cookie; who has none gets 401")
def token(carrier):
    with carrier.serve("--token", "se cret", "--token", "other") as server:
        equal(status(carrier), 401, "without a token")
        equal(status(carrier, "/echo?token=wrong"), 401, "a wrong one")
        equal(status(carrier, "/echo?token=se%20cret"), 101, "in the query")
        equal(status(carrier, Authorization="Bearer other"), 101, "as a bearer token")
        equal(status(carrier, Cookie="a=b; token=other"), 101, "in a cookie")
        server.wait_for_line("millrace: refused peer=", PATIENCE)
        require("wrong" not in server.said(), "a token is in the log")


@case("access: a refused Origin is in the log with its reason")
def origin(carrier):
    with carrier.serve() as server:
        equal(status(carrier, Origin="http://elsewhere.example"), 403, "another host's page")
        server.wait_for_line("millrace: refused peer=", PATIENCE)
        require('origin="http://elsewhere.example"' in server.said() and "status=403" in server.said(),
                f"the log does not say who was refused:\n{server.said()}")


@case("access: the PROXY protocol, v1 and v2, names the peer; who does not speak it is cut off")
def proxy_protocol(carrier):
    binary = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + bytes([198, 51, 100, 2, 10, 0, 0, 1])
              + struct.pack("!HH", 4242, PORT))
    local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0"
    with carrier.serve("--proxy-protocol", "on") as server:
        for header in (b"PROXY TCP4 198.51.100.1 10.0.0.1 4242 9001\r\n", binary, local, b"PROXY UNKNOWN\r\n"):
            with Raw(carrier.address, PORT) as peer:
                peer.send(header)
                peer.open(then=frame(TEXT, b"hello"))
                equal(peer.frame(), (TEXT, b"hello"), f"echo behind {header!r}")
        equal(status(carrier), None, "answer to who does not speak it")
        equal(status(carrier, before=binary, Origin="http://elsewhere.example"), 403, "status")
        server.wait_for_line("millrace: refused peer=198.51.100.2:4242 status=403", PATIENCE)


@case("access: the PROXY protocol stands before the client's hello where TLS is spoken")
def proxy_protocol_before_tls(carrier):
    where = carrier.address, SECURE_PORT
    with secure_server(carrier, "--proxy-protocol", "on") as (server, certificates):
        with Raw(*where) as peer:
            peer.send(b"PROXY TCP4 198.51.100.1 10.0.0.1 4242 443\r\n")
            with trusting(certificates).wrap_socket(peer.socket, server_hostname="localhost") as secured:
                secured.sendall(upgrade_request(where, Origin="http://elsewhere.example"))
                require(secured.recv(4096).startswith(b"HTTP/1.1 403 "), "the upgrade is not refused")
                server.wait_for_line("millrace: refused peer=198.51.100.1:4242 status=403", PATIENCE)
        with Raw(*where) as peer:
            peer.send(b"\x16\x03\x01\x02\x00\x01")
            equal(peer.ended(), b"", "answer to who does not speak it")


@case("access: X-Forwarded-For is believed from trusted proxies alone")
def forwarded(carrier):
    fields = {"X_Forwarded_For": "203.0.113.9, 198.51.100.1", "Origin": "http://elsewhere.example"}
    for options, peer in ((("--trust-forwarded", "0.0.0.0/0"), "203.0.113.9:0"),
                          (("--trust-forwarded", "192.0.2.77"), None)):
        with carrier.serve(*options) as server:
            equal(status(carrier, **fields), 403, "status")
            if peer:
                server.wait_for_line(f"millrace: refused peer={peer} ", PATIENCE)
            else:
                server.wait_for_line("millrace: refused peer=", PATIENCE)
                require("203.0.113.9" not in server.said(), "a stranger was believed")
