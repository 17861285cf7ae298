"""`millrace serve` over each carrier."""

import os
import signal
import subprocess

from harness import Failure, Skip
from network import STACK_ADDRESS, STACK_ADDRESS6, STACK_CIDR, STACK_CIDR6, STACK_INTERFACE, in_namespace
from process import Process

SERVER = "engine/serve/millrace"
PORT = 9001
# Long enough for a busy machine: what takes this long has hung.
PATIENCE = 60
EAL = "--no-huge --no-pci --no-shconf -m 512 --vdev="
DEVICES = {
    "dpdk": "net_af_packet0,iface={},qdisc_bypass=1",
    "xdp": "net_af_xdp0,iface={},force_copy=1",
}


class Carrier:
    """One way to carry bytes, and the server that the tests share over it."""

    def __init__(self, name, build, network):
        self.name = name
        self.kernel = name == "uring"
        self.address = "127.0.0.1" if self.kernel else STACK_ADDRESS
        self.network = network
        self._build = build
        self._shared = None
        self._queues = 1
        self._interface = STACK_INTERFACE

    @property
    def origin(self):
        return f"{self.address}:{PORT}"

    @property
    def url(self):
        return f"ws://{self.origin}"

    @property
    def echo(self):
        return self.url + "/echo"

    @property
    def eal(self):
        return EAL + DEVICES[self.name].format(self._interface) + (f",qpairs={self._queues}" if self.name == "dpdk" else "")

    def program(self, name):
        return os.path.join(self._build, name)

    def place(self, *arguments):
        """A command as it is to be run: the packet carriers' interface is in the other namespace."""
        return list(arguments) if self.kernel else in_namespace(self.network.b, *arguments)

    def net_options(self):
        if self.kernel:
            return ["--net", "uring"]
        return ["--net", "dpdk", "--ip", STACK_CIDR, "--ip", STACK_CIDR6, "--eal", self.eal]

    @property
    def url6(self):
        return f"ws://[{'::1' if self.kernel else STACK_ADDRESS6}]:{PORT}"

    def serve(self, *options):
        """A server of its own for one test. The shared one has to make room: same port, same interface."""
        self.stop()
        return self._start(*options)

    def serve_in_shards(self, count):
        """A server of `count` shards, on the CPUs that there are in turn."""
        cpus = sorted(os.sched_getaffinity(0))
        self._queues = count
        try:
            return self.serve("--cores", ",".join(str(cpus[i % len(cpus)]) for i in range(count)))
        finally:
            self._queues = 1

    def serve_at(self, interface, *options):
        """A server on another interface of the stack's namespace."""
        self._interface = interface
        try:
            return self.serve(*options)
        finally:
            self._interface = STACK_INTERFACE

    def share(self):
        """The server that all tests use which have no wish of their own."""
        if self._shared is None:
            self._shared = self._start()
        return self._shared

    def stop(self):
        shared, self._shared = self._shared, None
        if shared is None:
            return
        if not shared.running:
            raise Failure(f"the server has died, status {shared.wait()}:\n{shared.said()}")
        shared.signal(signal.SIGTERM)
        try:
            shared.wait(PATIENCE)
        finally:
            shared.__exit__()

    def check_alive(self):
        if self._shared is not None and not self._shared.running:
            died, self._shared = self._shared, None
            raise Failure(f"the server has died, status {died.wait()}:\n{died.said()}")

    def said(self):
        return self._shared.said() if self._shared else ""

    def _start(self, *options):
        if self.name == "xdp":  # a killed process leaves its program on the interface
            subprocess.run(in_namespace(self.network.b, "ip", "link", "set", "dev", STACK_INTERFACE, "xdp", "off"),
                           check=True)
        server = Process(self.place(self.program(SERVER), "serve", *self.net_options(), "--listen",
                                    f"{self.url},{self.url6}", *options))
        server.wait_for_line("millrace: listening on ws://", PATIENCE)
        return server

    def run_to_end(self, *arguments):
        """`millrace` with these arguments: its exit status and what it says on standard error."""
        done = subprocess.run(self.place(self.program(SERVER), *arguments), capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr


def probe_xdp(carrier):
    """Says why AF_XDP cannot be used here, by starting a server on it."""
    try:
        carrier.share()
    except RuntimeError as error:
        last = str(error).splitlines()[-1]
        raise Skip(f"a server on AF_XDP does not start here: {last}") from error
