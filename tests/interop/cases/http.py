"""Ordinary HTTP on the server's port (RFC 9110, RFC 9112) and refused upgrades (RFC 6455 section 4.2)."""

import http.client
import os
import subprocess
import tempfile
import time

from carrier import PATIENCE, PORT
from harness import case, equal, require
from raw import TEXT, Raw, frame, upgrade_request


def raw(carrier):
    carrier.share()
    return Raw(carrier.address, PORT)




@case("http: pages by http.client, kept alive", carriers=("uring", "dpdk", "xdp"))
def pages(carrier):
    carrier.share()
    peer = http.client.HTTPConnection(carrier.address, PORT, PATIENCE)
    local = None
    for path, status, kind, body in (("/", 200, "text/html", None), ("/healthz", 200, "text/plain", b"ok\n"),
                                     ("/no-such-page", 404, None, None), ("/healthz", 200, "text/plain", b"ok\n")):
        peer.request("GET", path)
        response = peer.getresponse()
        data = response.read()
        equal(response.status, status, path)
        if kind:
            equal(response.headers.get_content_type(), kind, f"type of {path}")
        if body:
            equal(data, body, path)
        require(local in (None, peer.sock.getsockname()), "the connection was not kept alive")
        local = peer.sock.getsockname()
    peer.request("GET", "/")
    page = peer.getresponse().read()
    require(page.lower().lstrip().startswith(b"<!doctype html"), f"/ is not an HTML page: {page[:80]}")
    peer.close()


@case("http: files of a directory, by curl")
def files(carrier):
    with tempfile.TemporaryDirectory() as place:
        www, out = os.path.join(place, "www"), os.path.join(place, "out")
        os.makedirs(os.path.join(www, "sub"))
        contents = {"index.html": b"<h1>top</h1>", "sub/index.html": b"sub", "a b.js": b"1", "big.bin": os.urandom(5 << 20)}
        for name, content in contents.items():
            with open(os.path.join(www, name), "wb") as file:
                file.write(content)
        with carrier.serve("--www", www):
            for path, status, kind, content in (
                    ("/", 200, "text/html; charset=utf-8", contents["index.html"]),
                    ("/sub/", 200, "text/html; charset=utf-8", contents["sub/index.html"]),
                    ("/a%20b.js?v=1", 200, "text/javascript; charset=utf-8", contents["a b.js"]),
                    ("/big.bin", 200, "application/octet-stream", contents["big.bin"]),
                    ("/healthz", 200, "text/plain; charset=utf-8", b"ok\n"),
                    ("/sub", 308, "text/plain; charset=utf-8", None),
                    ("/../../../etc/passwd", 404, "text/plain; charset=utf-8", None),
                    ("/%2e%2e/%2e%2e/etc/passwd", 404, "text/plain; charset=utf-8", None)):
                done = subprocess.run(["curl", "-sS", "--path-as-is", "-o", out, "-w",
                                       "%{http_code} %{content_type}", f"http://{carrier.origin}{path}"],
                                      capture_output=True, text=True, timeout=PATIENCE)
                equal(done.stdout, f"{status} {kind}", path)
                with open(out, "rb") as got:
                    require(content in (None, got.read()), f"{path} has other content")


@case("http: HEAD has the headers of GET and no body")
def head(carrier):
    with raw(carrier) as peer:
        for path in ("/", "/healthz", "/no-such-page"):
            seen = []
            for method in ("GET", "HEAD"):
                peer.send(f"{method} {path} HTTP/1.1\r\nHost: {carrier.origin}\r\n\r\n".encode())
                status, headers, _ = peer.response(head=method == "HEAD")
                seen.append((status, headers.get("content-length"), headers.get("content-type")))
            equal(seen[1], seen[0], f"HEAD {path}")


@case("http: pipelined requests are answered in order")
def pipelined(carrier):
    one = f"GET %s HTTP/1.1\r\nHost: {carrier.origin}\r\n\r\n"
    paths = ["/", "/healthz", "/no-such-page", "/healthz"] * 25
    with raw(carrier) as peer:
        peer.send("".join(one % path for path in paths).encode())
        for path in paths:
            status, _, body = peer.response()
            equal(status, 404 if path == "/no-such-page" else 200, path)
            if path == "/healthz":
                equal(body, b"ok\n", path)


@case("http: a request in single bytes")
def byte_by_byte(carrier):
    with raw(carrier) as peer:
        for byte in f"GET /healthz HTTP/1.1\r\nHost: {carrier.origin}\r\n\r\n".encode():
            peer.send(bytes([byte]))
            time.sleep(0.001)
        equal(peer.response()[2], b"ok\n", "/healthz")


@case("http: Connection: close closes")
def connection_close(carrier):
    with raw(carrier) as peer:
        peer.send(f"GET /healthz HTTP/1.1\r\nHost: {carrier.origin}\r\nConnection: close\r\n\r\n".encode())
        equal(peer.response()[0], 200, "status")
        equal(peer.ended(), b"", "after the response")


@case("http: what is not HTTP gets 400 and is closed")
def garbage(carrier):
    for bad in (b"\x80\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), b"hello\r\n\r\n",
                b"GET  / HTTP/1.1\r\nHost: HOST\r\n\r\n", b"GET / HTTP/1.1\r\nHost : HOST\r\n\r\n",
                b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: HOST\r\nX: a\r\n b\r\n\r\n"):
        with raw(carrier) as peer:
            peer.send(bad.replace(b"HOST", carrier.origin.encode()))
            equal(peer.response()[0], 400, repr(bad[:40]))
            equal(peer.ended(), b"", f"after {bad[:40]!r}")


@case("http: a head beyond the bound gets 431")
def large_head(carrier):
    with raw(carrier) as peer:
        try:
            peer.send(f"GET / HTTP/1.1\r\nHost: {carrier.origin}\r\nX: {'x' * 1_000_000}\r\n\r\n".encode())
        except ConnectionError:
            pass  # it need not read to the end
        equal(peer.response()[0], 431, "status")


@case("upgrade: another version gets 426 that names 13")
def version(carrier):
    for wrong in ("8", "14", "x"):
        with raw(carrier) as peer:
            peer.send(upgrade_request((carrier.address, PORT), Sec_WebSocket_Version=wrong))
            status, headers, _ = peer.response()
            equal(status, 426, f"version {wrong}")
            equal(headers.get("sec-websocket-version"), "13", f"version {wrong}")


@case("upgrade: what lacks a condition is refused")
def conditions(carrier):
    for changes in ({"Sec_WebSocket_Key": None}, {"Sec_WebSocket_Key": "dG9vIHNob3J0"}, {"Host": None}):
        with raw(carrier) as peer:
            peer.send(upgrade_request((carrier.address, PORT), **changes))
            equal(peer.response()[0], 400, str(changes))
    with raw(carrier) as peer:
        peer.send(upgrade_request((carrier.address, PORT), path="/no-such-page"))
        equal(peer.response()[0], 404, "unknown path")


@case("upgrade: the Origin of another host gets 403")
def origin(carrier):
    for value, status in (("http://elsewhere.example", 403), ("null", 403), (f"http://{carrier.origin}", 101)):
        with raw(carrier) as peer:
            peer.send(upgrade_request((carrier.address, PORT), Origin=value))
            equal(peer.response()[0], status, f"Origin {value}")


@case("upgrade: lists, other cases, and the accept key of RFC 6455")
def lists(carrier):
    with raw(carrier) as peer:
        peer.send(upgrade_request((carrier.address, PORT), Upgrade="example/1, WebSocket",
                                  Connection="keep-alive, UPGRADE"))
        status, headers, _ = peer.response()
        equal(status, 101, "status")
        equal(headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "accept key (section 1.3)")
        equal(headers["upgrade"].lower(), "websocket", "Upgrade")
        equal(headers["connection"].lower(), "upgrade", "Connection")


@case("upgrade: frames in the segment of the request are echoed")
def eager(carrier):
    with raw(carrier) as peer:
        peer.open(then=frame(TEXT, b"at once") + frame(TEXT, b"and again"))
        equal(peer.frame(), (TEXT, b"at once"), "first")
        equal(peer.frame(), (TEXT, b"and again"), "second")


@case("upgrade: after ordinary requests on the same connection")
def after_requests(carrier):
    with raw(carrier) as peer:
        peer.send(f"GET /healthz HTTP/1.1\r\nHost: {carrier.origin}\r\n\r\n".encode())
        equal(peer.response()[2], b"ok\n", "/healthz")
        peer.open().send(frame(TEXT, b"now"))
        equal(peer.frame(), (TEXT, b"now"), "echo")
