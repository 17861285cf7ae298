"""A tagged LAN (802.1Q) between the kernel and the stack: the kernel's own VLAN interface where it has such, and a
switch that adds and takes away the tag everywhere."""

import asyncio
import contextlib

from carrier import PATIENCE, PORT
from harness import Skip, case, require
from middle import Middle
from network import KERNEL_INTERFACE, run
from transfer import Forwarder

from .echo import binary_of, connect, echoes

LAN = 7
KERNEL_IN_LAN, STACK_IN_LAN = "10.78.0.1", "10.78.0.2"
KERNEL_IN_LAN6, STACK_IN_LAN6 = "fd78::1", "fd78::2"


@contextlib.contextmanager
def lan_interface():
    name = f"{KERNEL_INTERFACE}.{LAN}"
    try:
        run("ip", "link", "add", "link", KERNEL_INTERFACE, "name", name, "type", "vlan", "id", str(LAN))
    except RuntimeError as error:
        raise Skip(f"this kernel has no VLANs: {error}") from error
    try:
        run("ip", "address", "add", KERNEL_IN_LAN + "/24", "dev", name)
        run("ip", "address", "add", KERNEL_IN_LAN6 + "/64", "dev", name, "nodad")
        run("ip", "link", "set", name, "up")
        yield
    finally:
        run("ip", "link", "delete", name)


def talk(addresses):
    async def scenario(url):
        async with connect(url + "/echo") as peer:
            for size in (0, 125, 1000, 65536, 1 << 20):
                await echoes(peer, binary_of(size), f"{size} bytes")

    for url in urls(addresses):
        asyncio.run(asyncio.wait_for(scenario(url), PATIENCE))


def urls(addresses):
    return [f"ws://[{address}]:{PORT}" if ":" in address else f"ws://{address}:{PORT}" for address in addresses]


def lan_options(v4, v6):
    return ["--ip", v4 + "/24", "--ip", v6 + "/64", "--vlan", str(LAN), "--listen", ",".join(urls((v4, v6)))]


@case("vlan: messages of all sizes over a tagged LAN, both families", carriers=("dpdk",))
def tagged(carrier):
    with lan_interface(), carrier.serve(*lan_options(STACK_IN_LAN, STACK_IN_LAN6)):
        talk((STACK_IN_LAN, STACK_IN_LAN6))


@case("vlan: the same behind a switch's trunk port", carriers=("dpdk",))
def trunk(carrier):
    with Middle(carrier.network) as middle, Forwarder(carrier, middle, vlan=LAN) as switch:
        with carrier.serve_at(middle.interface, *lan_options(middle.stack, middle.stack6)):
            talk((middle.stack, middle.stack6))
    require(all(way["frames"] > 1000 for way in switch.ways), f"the tagged frames are too few: {switch.ways}")
