"""Clients of other makes, as the programs that their libraries' users would write: Node's own WebSocket,
gorilla/websocket, libwebsockets, Boost.Beast, and a browser on a page that Millrace serves.

Each knows two scenarios and judges for itself:
    exchange   texts and binaries of 0 B to 16 MiB, fragments where its interface has them, pings between them; then it
               closes with 4321 and awaits the same code
    await      it says "open" and awaits the server's close, with 1001"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

from carrier import PATIENCE
from harness import Failure, Skip, case, equal, require
from process import Process

from .tls import PORT, secure_server, url

# Many times 16 MiB, through a peer in another language, on a busy machine.
LONG = 4 * PATIENCE
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def program(name):
    def command(carrier):
        path = carrier.program(f"tests/interop/{name}")
        if not os.path.exists(path):
            raise Skip(f"{name} is not built: its library is not installed (scripts/setup)")
        return [path]

    return command


def node(_):
    major = int(subprocess.run(["node", "-p", "parseInt(process.versions.node)"], capture_output=True, text=True,
                               check=True).stdout)
    return ["node", *(["--experimental-websocket"] if 20 <= major < 22 else []), os.path.join(HERE, "node/builtin.js")]


PEERS = {
    "Node's own WebSocket": node,
    "gorilla/websocket": program("gorilla-client"),
    "libwebsockets": program("lws-client"),
    "Boost.Beast": program("beast-client"),
}
# What the server is told and what a client that offers compression then finds.
AGREEMENTS = [(["--deflate", "off"], "plain"), (["--deflate", "on"], "deflate"), (["--deflate", "takeover"], "deflate")]


def exchanges(command, carrier):
    for options, compression in AGREEMENTS:
        with carrier.serve(*options):
            done = subprocess.run([*command(carrier), "exchange", carrier.echo, compression], capture_output=True, text=True,
                                  timeout=LONG)
            equal((done.returncode, done.stderr.replace("open\n", "")), (0, ""), f"exchange, {options}")


def exchanges_secured(command, carrier):
    with secure_server(carrier) as (_, certificates):
        trusting = {**os.environ, "SSL_CERT_FILE": certificates.ca, "NODE_EXTRA_CA_CERTS": certificates.ca}
        done = subprocess.run([*command(carrier), "exchange", url(carrier), "plain"], capture_output=True, text=True,
                              timeout=LONG, env=trusting)
        equal((done.returncode, done.stderr.replace("open\n", "")), (0, ""), "exchange over wss")


def is_closed(command, carrier):
    with carrier.serve() as server, Process([*command(carrier), "await", carrier.echo, "plain"]) as peer:
        peer.wait_for_line("open", PATIENCE)
        server.signal(signal.SIGTERM)
        equal((peer.wait(PATIENCE), peer.lines), (0, ["open"]), "the server's close")
        equal(server.wait(PATIENCE), 0, "exit status")


def register(peer, command):
    @case(f"peers: {peer} exchanges messages, plain and compressed, and closes")
    def exchange(carrier):
        exchanges(command, carrier)

    @case(f"peers: {peer} exchanges messages over wss and closes")
    def exchange_secured(carrier):
        exchanges_secured(command, carrier)

    @case(f"peers: {peer} hears the server's close")
    def close(carrier):
        is_closed(command, carrier)


for its_name, its_command in PEERS.items():
    register(its_name, its_command)


class Browser:
    """A headless Chromium with an empty profile, driven by WebDriver (https://www.w3.org/TR/webdriver2/)."""

    FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--ignore-certificate-errors", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"]

    def __init__(self):
        self._driver_program = shutil.which("chromedriver")
        if self._driver_program is None:
            raise Skip("chromium-driver is not installed (scripts/setup)")

    def __enter__(self):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        port = 9515
        self._driver = subprocess.Popen([self._driver_program, f"--port={port}"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self._base = f"http://127.0.0.1:{port}"
        self._session = ""
        self._wait_for_driver()
        options = {"args": [*self.FLAGS, f"--user-data-dir={self._profile.name}"]}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "acceptInsecureCerts": True, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self._session = f"/session/{made['sessionId']}"
        return self

    def __exit__(self, *_):
        try:
            self._ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(PATIENCE)
            self._profile.cleanup()

    def visit(self, url):
        # A change of the fragment alone would not load the page again.
        self._ask("POST", f"{self._session}/url", {"url": "about:blank"})
        self._ask("POST", f"{self._session}/url", {"url": url})

    def value(self, expression):
        """What it is on the page."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": f"return {expression}", "args": []})

    def complaints(self):
        """What the console has said since this was last asked, but for the browser's own pages."""
        said = [entry["message"] for entry in self._ask("POST", f"{self._session}/se/log", {"type": "browser"})]
        return [message for message in said if not message.startswith("chrome://")]

    def await_value(self, expression, accept, what):
        """The value, once it is accepted."""
        until = time.monotonic() + PATIENCE
        while not accept(value := self.value(expression)):
            require(time.monotonic() < until, f"{what}: {value!r}")
            time.sleep(0.1)
        return value

    def state(self, *wanted):
        """The page's state, once it begins with one of these."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            state = self.value("state")
            if state.startswith(wanted):
                return state
            time.sleep(0.02)
        raise Failure(f"the page is {state!r}, never {wanted}")

    def _wait_for_driver(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except OSError:
                if time.monotonic() > until or self._driver.poll() is not None:
                    raise Failure("chromedriver does not answer") from None
            time.sleep(0.05)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Failure(f"WebDriver: {error.read().decode()[:500]}") from None


@case("peers: Chromium, on a page of the server's, exchanges messages and closes")
def chromium(carrier):
    with Browser() as browser:
        for options, compression in AGREEMENTS:
            with carrier.serve("--www", os.path.join(HERE, "web"), *options):
                browser.visit(f"http://{carrier.origin}/page.html")
                state = browser.state("done", "failed")
                require(state.startswith("done"), f"{options}: {state}")
                equal("permessage-deflate" in state, compression == "deflate", f"{options}: extensions in {state!r}")


@case("peers: Chromium, on a page of the server's over https, exchanges messages over wss and closes")
def chromium_secured(carrier):
    with Browser() as browser, secure_server(carrier, "--www", os.path.join(HERE, "web")):
        browser.visit(f"https://{carrier.address}:{PORT}/page.html")
        state = browser.state("done", "failed")
        require(state.startswith("done"), state)


@case("peers: Chromium hears the server's close")
def chromium_hears(carrier):
    with Browser() as browser, carrier.serve("--www", os.path.join(HERE, "web")) as server:
        browser.visit(f"http://{carrier.origin}/page.html#await")
        equal(browser.state("open", "failed"), "open", "the page")
        server.signal(signal.SIGTERM)
        require(browser.state("done", "failed").startswith("done"), browser.state("done", "failed"))
        equal(server.wait(PATIENCE), 0, "exit status")
