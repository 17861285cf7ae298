"""Something between the kernel and the stack: a bridge that loses frames, a router with a narrow link, or two bare
interfaces for a program that forwards. A namespace of its own, joined to both ends by veth pairs."""

import contextlib
import os
import subprocess

from network import PREFIX, in_namespace, run

KERNEL_SIDE = "mrt-c"  # in namespace a
STACK_SIDE = "mrt-d"   # in namespace b
TO_KERNEL = "mrt-ma"
TO_STACK = "mrt-mb"


class Middle:
    """The addresses of both ends are `kernel` and `stack`; routed, they are in networks of their own. `kernel6` and
    `stack6` are never routed."""

    def __init__(self, network, routed=False):
        self.name = f"{PREFIX}{os.getpid()}-m"
        self.kernel, self.stack = "10.78.0.1", "10.79.0.2" if routed else "10.78.0.2"
        self.kernel6, self.stack6 = "fd78::1", "fd78::2"
        self.gateway = "10.79.0.1" if routed else None
        self.interface = STACK_SIDE
        self._network = network
        self._routed = routed

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        run("ip", "netns", "add", self.name)
        for end, there, here in ((self._network.a, KERNEL_SIDE, TO_KERNEL), (self._network.b, STACK_SIDE, TO_STACK)):
            run("ip", "-n", end, "link", "add", there, "type", "veth", "peer", "name", here, "netns", self.name)
            for namespace, device in ((end, there), (self.name, here)):
                run("ip", "-n", namespace, "link", "set", device, "addrgenmode", "none")
                run(*in_namespace(namespace, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off",
                                  "gro", "off"))
                run("ip", "-n", namespace, "link", "set", device, "up")
        run("ip", "-n", self._network.a, "address", "add", self.kernel + "/24", "dev", KERNEL_SIDE)
        run("ip", "-n", self._network.a, "address", "add", self.kernel6 + "/64", "dev", KERNEL_SIDE, "nodad")
        if self._routed:
            run("ip", "-n", self.name, "address", "add", "10.78.0.254/24", "dev", TO_KERNEL)
            run("ip", "-n", self.name, "address", "add", self.gateway + "/24", "dev", TO_STACK)
            run("ip", "-n", self._network.a, "route", "add", "10.79.0.0/24", "via", "10.78.0.254")
            run(*in_namespace(self.name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))

    def __exit__(self, *_):
        # A namespace's interfaces go some time after it: theirs shall be gone now.
        for end, device in ((self._network.a, KERNEL_SIDE), (self._network.b, STACK_SIDE)):
            subprocess.run(["ip", "-n", end, "link", "delete", device], capture_output=True)
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)

    def bridge(self):
        run("ip", "-n", self.name, "link", "add", "mrt-br", "type", "bridge")
        run("ip", "-n", self.name, "link", "set", "mrt-br", "addrgenmode", "none")
        for device in (TO_KERNEL, TO_STACK):
            run("ip", "-n", self.name, "link", "set", device, "master", "mrt-br")
        run("ip", "-n", self.name, "link", "set", "mrt-br", "up")

    def filter(self, rules):
        """nftables' rules in the middle."""
        run(*in_namespace(self.name, "nft", rules))

    def lose(self, permille):
        """Each IP packet, in either direction, with this probability. The three tries of ARP and of neighbour discovery
        are not what is tested."""
        self.filter("table netdev millrace {" + "".join(
            f"chain {name} {{ type filter hook ingress device {device} priority 0; "
            f"icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept; "
            f"meta protocol {{ ip, ip6 }} numgen random mod 1000 < {permille} counter drop; }}\n"
            for name, device in (("there", TO_KERNEL), ("back", TO_STACK))) + "}")


@contextlib.contextmanager
def lossy_bridge(network, permille):
    with Middle(network) as middle:
        middle.bridge()
        if permille:
            middle.lose(permille)
        yield middle
