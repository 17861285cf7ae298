"""Two network namespaces joined by a veth pair. In `a` the kernel has an address and all clients live there, this
process among them; in `b` the interface belongs to Millrace alone, the kernel has no address on it."""

import contextlib
import os
import re
import subprocess

from process import LIBC

CLONE_NEWNET = 0x40000000
PREFIX = "millrace-test-"

KERNEL_ADDRESS = "10.77.0.1"
STACK_ADDRESS = "10.77.0.2"
STACK_CIDR = STACK_ADDRESS + "/24"
KERNEL_ADDRESS6 = "fd77::1"
STACK_ADDRESS6 = "fd77::2"
STACK_CIDR6 = STACK_ADDRESS6 + "/64"
KERNEL_INTERFACE = "mrt-a"
STACK_INTERFACE = "mrt-b"


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def in_namespace(name, *arguments):
    return ["ip", "netns", "exec", name, *arguments]


class Network:
    def __init__(self):
        self.a = f"{PREFIX}{os.getpid()}-a"
        self.b = f"{PREFIX}{os.getpid()}-b"
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)

    def __enter__(self):
        remove_leftovers()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        for name in (self.a, self.b):
            run("ip", "netns", "add", name)
        run("ip", "-n", self.a, "link", "add", KERNEL_INTERFACE, "type", "veth", "peer", "name", STACK_INTERFACE,
            "netns", self.b)
        # The stack's side shall be silent but for the stack: no link-local address, no router solicitation.
        run("ip", "-n", self.b, "link", "set", STACK_INTERFACE, "addrgenmode", "none")
        # Over veth the kernel leaves checksums and segmentation to a NIC that is not there.
        run(*in_namespace(self.a, "ethtool", "-K", KERNEL_INTERFACE, "tx", "off", "tso", "off", "gso", "off"))
        run("ip", "-n", self.a, "address", "add", KERNEL_ADDRESS + "/24", "dev", KERNEL_INTERFACE)
        # In this namespace IPv6 addresses outlive a link that goes down, as IPv4's do.
        run(*in_namespace(self.a, "sysctl", "-qw", "net.ipv6.conf.all.keep_addr_on_down=1"))
        # Without duplicate address detection, which would keep the address from use for a second.
        run("ip", "-n", self.a, "address", "add", KERNEL_ADDRESS6 + "/64", "dev", KERNEL_INTERFACE, "nodad")
        run("ip", "-n", self.a, "link", "set", "lo", "up")
        run("ip", "-n", self.b, "link", "set", STACK_INTERFACE, "up")
        run("ip", "-n", self.a, "link", "set", KERNEL_INTERFACE, "up")
        with open(f"/run/netns/{self.a}") as namespace:
            self._enter(namespace.fileno())

    def __exit__(self, *_):
        self._enter(self._home)
        for name in (self.a, self.b):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    @staticmethod
    def _enter(descriptor):
        if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError("cannot enter the network namespace")


@contextlib.contextmanager
def kernel_too(network, interface=STACK_INTERFACE, cidr=STACK_CIDR):
    """While in this context the kernel has the stack's address, on the stack's interface."""
    run("ip", "-n", network.b, "link", "set", "dev", interface, "xdp", "off")
    run(*in_namespace(network.b, "ethtool", "-K", interface, "tx", "off", "tso", "off", "gso", "off"))
    run("ip", "-n", network.b, "address", "add", cidr, "dev", interface)
    try:
        yield
    finally:
        run("ip", "-n", network.b, "address", "del", cidr, "dev", interface)
        # Neither end shall remember the other's hardware address.
        run("ip", "-n", network.a, "neigh", "flush", "all")


def remove_leftovers():
    """Namespaces of an earlier run that was killed: ours by name, and their process is gone."""
    for line in run("ip", "netns", "list").splitlines():
        match = re.match(PREFIX + r"(\d+)-[abm]\b", line)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            run("ip", "netns", "delete", match[0])


class Cut:
    """While in this context no packet passes from or to the given TCP ports of the kernel's side, either way."""

    def __init__(self, ports):
        self._ports = ", ".join(str(port) for port in ports)

    def __enter__(self):
        rules = f"""
            table inet millrace_test {{
                chain in {{ type filter hook input priority 0; tcp dport {{ {self._ports} }} drop;
                            tcp sport {{ {self._ports} }} drop; }}
                chain out {{ type filter hook output priority 0; tcp sport {{ {self._ports} }} drop; }}
            }}"""
        run("nft", rules)
        return self

    def __exit__(self, *_):
        run("nft", "delete table inet millrace_test")
