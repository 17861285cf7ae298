"""`millrace connect`: lines in, messages out, against Millrace and other makes, through redirects and proxies."""

import contextlib
import http.server
import socket
import subprocess
import threading

from carrier import PATIENCE, SERVER
from harness import case, equal, require

from .client import python_servers
from .tls import PORT, secure_server, url

LINES = b"one\n" + "zw\u00f6lf \u20ac \U0001d11e\n".encode() + b"\n" + b"x" * 100_000 + b"\n"


def run(carrier, *arguments, said=LINES, at=None, net=()):
    """Exit status, what came out, and standard error; `at` says where it runs, here by default."""
    done = subprocess.run((at or list)((carrier.program(SERVER), "connect", *net, *arguments)), input=said,
                          capture_output=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def echoed(result, what):
    status, out, said = result
    equal(status, 0, f"{what}: exit status: {said}")
    equal(out, LINES, f"{what}: what came back")


def failed(result, word, what):
    status, out, said = result
    equal((status, out), (1, b""), f"{what}: exit status and output: {said}")
    require(word in said, f"{what}: does not say {word!r}: {said}")


@case("connect: lines and binaries come back; what goes wrong is said")
def lines(carrier):
    carrier.share()
    echoed(run(carrier, carrier.echo, "--count", "4"), "lines")
    echoed(run(carrier, carrier.echo, "--count", "4", "--deflate", "on"), "with compression offered")
    status, out, said = run(carrier, carrier.echo, "--binary", "--wait", "2s", said=bytes(range(256)) * 4000)
    equal((status, out), (0, bytes(range(256)) * 4000), f"binary: {said}")
    failed(run(carrier, carrier.url + "/nothing"), "404", "no such path")
    failed(run(carrier, carrier.echo, "--origin", "http://elsewhere.example"), "403", "an origin that is not let in")
    status, _, said = run(carrier, "http://127.0.0.1/")
    require(status == 2 and "ws://" in said, f"a URL of another kind: {status}, {said}")


@case("connect: wss, believed only with a certificate that can be")
def secure(carrier):
    with secure_server(carrier) as (_, certificates):
        echoed(run(carrier, url(carrier), "--ca", certificates.ca, "--count", "4"), "with its CA")
        echoed(run(carrier, url(carrier), "--insecure", "--count", "4"), "whoever it is")
        failed(run(carrier, url(carrier)), "not trusted", "a CA that it does not know")
        status, _, _ = run(carrier, f"ws://{carrier.address}:{PORT}/echo")
        equal(status, 1, "exit status of plain words to a TLS port")


@contextlib.contextmanager
def http_server(handler, address="127.0.0.1"):
    """`handler` on a port of its own, which is yielded."""
    server = http.server.ThreadingHTTPServer((address, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def redirecting_to(target, seen):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(dict(self.headers))
            self.send_response(302)
            self.send_header("Location", target(self.path))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


@case("connect: redirects are followed, not round and round, and credentials stay at home")
def redirects(carrier):
    carrier.share()
    seen = []
    with http_server(redirecting_to(lambda path: carrier.echo if path == "/there" else path, seen)) as port:
        here = f"ws://localhost:{port}"
        echoed(run(carrier, f"{here}/there", "--count", "4", "-H", "Authorization: Bearer secret"), "to another origin")
        equal(seen[0].get("Authorization"), "Bearer secret", "the header, at home")
        failed(run(carrier, f"{here}/round"), "redirect", "a circle")
        failed(run(carrier, f"{here}/there", "--max-redirects", "0"), "redirects", "a redirect that may not be followed")


def pump(source, target):
    with contextlib.suppress(OSError):
        while bytes_ := source.recv(65536):
            target.sendall(bytes_)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def tunnelling(seen):
    """An HTTP proxy that knows CONNECT alone, for who shows a password."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            seen.append((self.path, self.headers.get("Proxy-Authorization")))
            if seen[-1][1] != "Basic dXNlcjpwYXNz":
                self.send_response(407)
                self.send_header("Proxy-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as server:
                self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                there = threading.Thread(target=pump, args=(self.connection, server), daemon=True)
                there.start()
                pump(server, self.connection)
                there.join(PATIENCE)
            self.close_connection = True

        def log_message(self, *_):
            pass

    return Handler


@case("connect: through an HTTP proxy, plain and wss")
def proxied(carrier):
    seen = []
    with http_server(tunnelling(seen)) as port, secure_server(carrier) as (_, certificates):
        proxy = f"http://user:pass@127.0.0.1:{port}"
        echoed(run(carrier, carrier.echo, "--proxy", proxy, "--count", "4"), "plain")
        equal(seen[-1][0], carrier.origin, "whom the proxy was asked for")
        echoed(run(carrier, url(carrier), "--proxy", proxy, "--ca", certificates.ca, "--count", "4"), "wss")
        failed(run(carrier, carrier.echo, "--proxy", f"http://127.0.0.1:{port}"), "407", "without a password")


@case("connect: over the stack, to a websockets server on the kernel, plain and wss", carriers=("dpdk",))
def over_the_stack(carrier):
    carrier.stop()
    net = carrier.net_options()

    def at(command):
        return carrier.place(*command)

    for what, server, believing in python_servers():
        echoed(run(carrier, server, *believing, "--count", "4", at=at, net=net), what)
