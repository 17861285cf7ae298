"""wss: real clients of a TLS listener, what openssl says of it, and certificates that change while it serves."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import websockets

from carrier import PATIENCE
from certificates import Certificates
from harness import case, equal, require

from . import client
from .echo import SIZES, binary_of, connect, echoes, node, text_of

PORT = 9443


@contextlib.contextmanager
def secure_server(carrier, *options, alternatives=None, rsa=False):
    """A server with a wss listener beside its plain ones, and the certificates that it and its clients use."""
    with Certificates() as certificates:
        names = alternatives or f"DNS:localhost,IP:{carrier.address}"
        with carrier.serve("--listen", f"wss://{carrier.address}:{PORT}", *certificates.make("server", names, rsa=rsa),
                           *options) as server:
            server.wait_for_line(f"millrace: listening on wss://{carrier.address}:{PORT}", PATIENCE)
            yield server, certificates


def url(carrier):
    return f"wss://{carrier.address}:{PORT}/echo"


def trusting(certificates, version=None):
    context = ssl.create_default_context(cafile=certificates.ca)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def openssl(carrier, *arguments, said=b"", patience=PATIENCE):
    """What `openssl s_client` prints; `said` goes to the server, and the end of input ends it."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"{carrier.address}:{PORT}", *arguments], input=said,
                          capture_output=True, timeout=patience, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


@case("tls: text and binary of all sizes, websockets, TLS 1.3 and 1.2", carriers=("uring", "dpdk"))
def sizes(carrier):
    async def scenario(certificates):
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            async with connect(url(carrier), ssl=trusting(certificates, version)) as peer:
                for size in SIZES:
                    await echoes(peer, text_of(size), f"text of {size}")
                    await echoes(peer, binary_of(size), f"binary of {size}")
            equal(peer.close_code, 1000, "close code")

    with secure_server(carrier) as (_, certificates):
        asyncio.run(scenario(certificates))


@case("tls: 16 MiB, and many small messages in flight, websockets; plain clients beside it")
def bulk(carrier):
    async def scenario(certificates):
        async with connect(url(carrier), ssl=trusting(certificates)) as peer, connect(carrier.echo) as plain:
            await echoes(peer, binary_of(16 << 20), "16 MiB")
            messages = [f"message {number}" for number in range(5000)]

            async def send():
                for message in messages:
                    await peer.send(message)

            sending = asyncio.create_task(send())
            for message in messages:
                equal(await peer.recv(), message, "echo")
            await sending
            await echoes(plain, "plain", "a plain client's echo")

    with secure_server(carrier) as (_, certificates):
        asyncio.run(scenario(certificates))


@case("tls: Node's ws, everything in its repertoire", carriers=("uring", "dpdk"))
def node_ws(carrier):
    with secure_server(carrier) as (_, certificates):
        os.environ["NODE_EXTRA_CA_CERTS"] = certificates.ca
        try:
            node("sizes", url(carrier), *SIZES)
        finally:
            del os.environ["NODE_EXTRA_CA_CERTS"]


@case("tls: curl over HTTPS; keep-alive", carriers=("uring", "dpdk"))
def curl(carrier):
    with secure_server(carrier) as (_, certificates):
        page = f"https://{carrier.address}:{PORT}/healthz"
        done = subprocess.run(["curl", "-sv", "--cacert", certificates.ca, "--http1.1", page, page], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        equal(done.returncode, 0, f"curl: {done.stderr}")
        equal(done.stdout, "ok\nok\n", "the page")
        require("Re-using existing connection" in done.stderr, f"the second request took a new connection: {done.stderr}")
        require("ALPN, server accepted to use http/1.1" in done.stderr or "ALPN: server accepted http/1.1" in done.stderr,
                f"no ALPN: {done.stderr}")
        refused = subprocess.run(["curl", "-s", "--cacert", certificates.ca, f"https://localhost.invalid:{PORT}/", "--resolve",
                                  f"localhost.invalid:{PORT}:{carrier.address}"], capture_output=True, timeout=PATIENCE, check=False)
        equal(refused.returncode, 60, "a name that the certificate is not for")


@case("tls: openssl s_client: versions, resumption, ALPN, names, renegotiation, close_notify")
def s_client(carrier):
    with Certificates() as certificates:
        first = certificates.make("first", "DNS:first.example")
        second = certificates.make("second", "DNS:second.example,DNS:*.second.example", rsa=True)
        with carrier.serve("--listen", f"wss://{carrier.address}:{PORT}", *first, *second):
            old = openssl(carrier, "-tls1_1")
            require("alert protocol version" in old or "no protocols available" in old, f"TLS 1.1 was taken: {old}")
            for version in ("-tls1_2", "-tls1_3"):
                session = certificates.path("session")
                fresh = openssl(carrier, version, "-CAfile", certificates.ca, "-sess_out", session, "-ign_eof",
                                said=b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                require("Verify return code: 0 (ok)" in fresh and "\nNew, " in fresh, f"{version}: {fresh}")
                require("closed" in fresh.splitlines()[-1] or "closed" in fresh, f"no close_notify: {fresh}")
                again = openssl(carrier, version, "-CAfile", certificates.ca, "-sess_in", session)
                require("\nReused, " in again, f"{version}: not resumed: {again}")
            for name, shown in (("first.example", "first"), ("second.example", "second"), ("deep.second.example", "second"),
                                ("a.b.second.example", "first"), ("other.example", "first")):
                said = openssl(carrier, "-servername", name)
                equal(re.search(r"subject=CN = (\w+)", said).group(1), shown, f"the certificate for {name}")
            require("no application protocol" in openssl(carrier, "-alpn", "h2"), "h2 was agreed on")
            require("ALPN protocol: http/1.1" in openssl(carrier, "-alpn", "h2,http/1.1"), "http/1.1 was not agreed on")
            refused = openssl(carrier, "-tls1_2", "-legacy_renegotiation", said=b"R\n")
            require("no renegotiation" in refused, f"renegotiation: {refused}")


def answer_to(address, port, said):
    with socket.create_connection((address, port), timeout=PATIENCE) as peer:
        peer.sendall(said)
        got = b""
        while True:
            try:
                part = peer.recv(65536)
            except ConnectionResetError:
                return got
            if not part:
                return got
            got += part


@case("tls: HTTP on the TLS port, TLS on the plain port")
def wrong_port(carrier):
    with secure_server(carrier):
        plain = answer_to(carrier.address, PORT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        require(plain.startswith(b"HTTP/1.1 400 ") and b"speaks TLS" in plain, f"HTTP on the TLS port: {plain}")
        require(answer_to(carrier.address, PORT, b"\x00\x01\x02\x03") == b"\x15\x03\x01\x00\x02\x02\x28", "noise on the TLS port")
        with socket.create_connection((carrier.address, 9001), timeout=PATIENCE) as peer:
            try:
                ssl.create_default_context().wrap_socket(peer, server_hostname="localhost")
                raise AssertionError("TLS on the plain port succeeded")
            except ssl.SSLError as error:
                require("HANDSHAKE_FAILURE" in str(error), f"TLS on the plain port: {error}")


@case("tls: half a hello is ended by the handshake timeout, the others go on")
def slow_hello(carrier):
    async def scenario(certificates):
        async with connect(url(carrier), ssl=trusting(certificates)) as peer:
            slow = [socket.create_connection((carrier.address, PORT), timeout=PATIENCE) for _ in range(50)]
            for one in slow:
                one.sendall(b"\x16\x03\x01\x02\x00\x01")
            await echoes(peer, "going on", "echo")
            for one in slow:
                equal(one.recv(100), b"", "the end")
                one.close()
            await echoes(peer, "afterwards", "echo")

    with secure_server(carrier, "--handshake-timeout", "1s") as (_, certificates):
        asyncio.run(scenario(certificates))


@case("tls: certificates are read again on SIGHUP; connections go on, and a bad one changes nothing")
def renewed(carrier):
    def serial(certificates):
        said = openssl(carrier, "-CAfile", certificates.ca)
        return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END", said, re.DOTALL).group(0)

    async def scenario(server, certificates):
        async with connect(url(carrier), ssl=trusting(certificates)) as peer:
            before = serial(certificates)
            with open(certificates.path("server.pem"), encoding="ascii") as file:
                good = file.read()
            with open(certificates.path("server.pem"), "w", encoding="ascii") as file:
                file.write("not a certificate\n")
            server.signal(signal.SIGHUP)
            server.wait_for_line("millrace: the certificates in use stay", PATIENCE)
            await echoes(peer, "with a bad one", "echo")
            equal(serial(certificates), before, "the certificate after a bad one")
            require(good, "there was a certificate")
            certificates.make("server", f"DNS:localhost,IP:{carrier.address}")
            server.signal(signal.SIGHUP)
            server.wait_for_line("millrace: the certificates have been read again", PATIENCE)
            deadline = time.monotonic() + PATIENCE
            while serial(certificates) == before:
                require(time.monotonic() < deadline, "the new certificate is never shown")
            await echoes(peer, "with a new one", "echo")

    with secure_server(carrier) as (server, certificates):
        asyncio.run(scenario(server, certificates))


@case("tls: clients without a certificate are refused where one is asked for")
def client_certificates(carrier):
    async def scenario(certificates):
        context = trusting(certificates)
        certificates.make("client", "DNS:client")
        context.load_cert_chain(certificates.path("client.pem"), certificates.path("client.key"))
        async with connect(url(carrier), ssl=context) as peer:
            await echoes(peer, "known", "echo")
        try:
            async with connect(url(carrier), ssl=trusting(certificates)):
                raise AssertionError("a client without a certificate was let in")
        except (ssl.SSLError, ConnectionError, websockets.InvalidHandshake, EOFError):
            pass

    with Certificates() as certificates:
        with carrier.serve("--listen", f"wss://{carrier.address}:{PORT}",
                           *certificates.make("server", f"IP:{carrier.address}"), "--tls-client-ca", certificates.ca):
            asyncio.run(scenario(certificates))


@case("tls: SIGTERM says 1001 and close_notify")
def drained(carrier):
    async def scenario(server, certificates):
        async with connect(url(carrier), ssl=trusting(certificates)) as peer:
            await echoes(peer, "before", "echo")
            server.signal(signal.SIGTERM)
            await asyncio.wait_for(peer.wait_closed(), PATIENCE)
            equal(peer.close_code, 1001, "close code")
        equal(server.wait(PATIENCE), 0, "exit status")

    with secure_server(carrier) as (server, certificates):
        asyncio.run(scenario(server, certificates))


@case("tls: a client believes no server that it cannot")
def unbelievable(carrier):
    def calls(*options):
        return client.call(carrier, "brief", *options, scheme="wss")

    address = client.address_of(carrier)
    with Certificates() as certificates:
        certificates.make("server", f"IP:{address}")
        certificates.make("elsewhere", "DNS:elsewhere.example")
        trusted = ("--ca", certificates.ca)
        with client.python_server(address, certificates.pair("server")):
            equal(calls(*trusted)[0], 0, "exit status with its CA")
            status, said = calls()
            require(status == 1 and "not trusted" in said, f"a CA that it does not know: {status}, {said}")
            equal(calls("--insecure")[0], 0, "exit status with --insecure")
        with client.python_server(address, certificates.pair("elsewhere")):
            status, said = calls(*trusted)
            require(status == 1 and "mismatch" in said, f"a certificate for another: {status}, {said}")
