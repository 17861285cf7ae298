"""Runs peer/stack_peer.cc against peer/kernel_peer.cc: bare TCP, every byte verified by both."""

import json
import os
import signal
import subprocess

from carrier import DEVICES, EAL, PATIENCE
from harness import Failure, equal
from middle import TO_KERNEL, TO_STACK
from network import KERNEL_ADDRESS, KERNEL_ADDRESS6, STACK_ADDRESS, STACK_ADDRESS6, STACK_INTERFACE, in_namespace
from process import die_with_parent

PORT = 9003
MIB = 1 << 20
# Everything at the size that the house promises, for runs by hand: some minutes.
FULL = "MILLRACE_TEST_FULL" in os.environ
JUMBO = ",blocksz=16384,framesz=16384,framecnt=512"


class Way:
    """Where the two ends are, and through which device the stack sees the kernel."""

    def __init__(self, carrier, middle=None, mtu=1500, ipv6=False):
        self.network = carrier.network
        self.program = carrier.program
        if ipv6:
            kernel, stack = (middle.kernel6, middle.stack6) if middle else (KERNEL_ADDRESS6, STACK_ADDRESS6)
            self.kernel, self.stack, self.cidr = f"[{kernel}]", f"[{stack}]", stack + "/64"
        else:
            self.kernel, self.stack = (middle.kernel, middle.stack) if middle else (KERNEL_ADDRESS, STACK_ADDRESS)
            self.cidr = self.stack + "/24"
        self.interface = middle.interface if middle else STACK_INTERFACE
        device = DEVICES[carrier.name].format(self.interface) + (JUMBO if mtu > 2000 else "")
        if carrier.name == "xdp":
            run_quietly(in_namespace(self.network.b, "ip", "link", "set", "dev", self.interface, "xdp", "off"))
        eal = EAL.replace("-m 512", "-m 1024") if mtu > 2000 else EAL
        self.options = ["--eal", eal + device, "--ip", self.cidr, "--mtu", str(mtu)]
        if middle and middle.gateway:
            self.options += ["--gateway", middle.gateway]


def run_quietly(arguments):
    subprocess.run(arguments, check=True, capture_output=True)


class Peer:
    """One of the two programs; report() waits for its end."""

    def __init__(self, arguments):
        self._child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self._said = ""

    def wait_until_ready(self):
        for line in self._child.stderr:
            self._said += line
            if line == "ready\n":
                return self
        raise Failure(f"{self._child.args[-1]} never became ready:\n{self._said}")

    def report(self, patience):
        try:
            out, said = self._child.communicate(timeout=patience + PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(self._child.args)} does not end") from None
        if self._child.returncode == 2 or not out:
            raise Failure(f"status {self._child.returncode}: {self._said}{said}")
        return json.loads(out)

    def signal(self, number):
        self._child.send_signal(number)

    def kill(self):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def words(options):
    """{"send": 5, "echo": True} as a command line has it."""
    out = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        out += [option] if value is True else [option, str(value)]
    return out


def exchange(carrier, way, stack, kernel, stack_listens=True, patience=120, meanwhile=None):
    """The two reports, the stack's first. `meanwhile` is called when both are running."""
    carrier.stop()
    where = {True: way.stack, False: way.kernel}[stack_listens]
    role = {True: "--listen", False: "--connect"}
    address = f"{where}:{PORT}"
    commands = {
        "stack": in_namespace(way.network.b, way.program("tests/interop/stack-peer"), *way.options, *words(stack),
                              "--patience", str(patience), role[stack_listens], address),
        "kernel": [way.program("tests/interop/kernel-peer"), *words(kernel), "--patience", str(patience),
                   role[not stack_listens], address]}
    order = ("stack", "kernel") if stack_listens else ("kernel", "stack")
    peers = {}
    try:
        for name in order:
            peers[name] = Peer(commands[name]).wait_until_ready()
        if meanwhile:
            meanwhile()
        return [peers[name].report(patience) for name in ("stack", "kernel")]
    finally:
        for peer in peers.values():
            peer.kill()


def finished(reports, connections=1):
    """Both ends say that every byte came and every connection ended in order."""
    for report, who in zip(reports, ("stack", "kernel")):
        equal(report["ends"], {"finished": connections}, f"the {who}'s ends, in {brief(reports)}")
        equal(report["incomplete"], 0, f"incomplete at the {who}")
        equal(report["open"], 0, f"still open at the {who}")


def brief(reports):
    return json.dumps(reports, separators=(",", ":"))


def speed(report, size):
    return f"{size * 8 / 1e9 / report['seconds']:.2f} Gbit/s"


class Forwarder:
    """peer/forwarder.cc in the middle; its counts are at hand after the context."""

    def __init__(self, carrier, middle, **faults):
        devices = [f"net_af_packet{number},iface={interface},qdisc_bypass=1"
                   for number, interface in enumerate((TO_KERNEL, TO_STACK))]
        self._peer = Peer(in_namespace(
            middle.name, carrier.program("tests/interop/forwarder"), "--eal", EAL + devices[0] + " --vdev=" + devices[1],
            "--port", "net_af_packet0", "--port", "net_af_packet1",
            *(part for name, value in faults.items() for part in ("--" + name.replace("_", "-"), str(value)))))
        self.ways = None

    def __enter__(self):
        self._peer.wait_until_ready()
        return self

    def __exit__(self, *_):
        try:
            self._peer.signal(signal.SIGTERM)
            self.ways = self._peer.report(10)
        finally:
            self._peer.kill()
