"""A tagged LAN (802.1Q) between the kernel and the stack."""

import asyncio
import contextlib

from carrier import PATIENCE, PORT
from harness import Skip, case
from network import KERNEL_INTERFACE, run

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


@case("vlan: messages of all sizes over a tagged LAN, both families", carriers=("dpdk",))
def tagged(carrier):
    urls = [f"ws://{STACK_IN_LAN}:{PORT}", f"ws://[{STACK_IN_LAN6}]:{PORT}"]

    async def scenario(url):
        async with connect(url + "/echo") as peer:
            for size in (0, 125, 1000, 65536, 1 << 20):
                await echoes(peer, binary_of(size), f"{size} bytes")

    with lan_interface(), carrier.serve("--ip", STACK_IN_LAN + "/24", "--ip", STACK_IN_LAN6 + "/64", "--vlan", str(LAN),
                                        "--listen", ",".join(urls)):
        for url in urls:
            asyncio.run(asyncio.wait_for(scenario(url), PATIENCE))
