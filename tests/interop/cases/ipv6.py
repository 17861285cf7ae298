"""Over IPv6: the same engine, the same TCP, another header below."""

import asyncio
import subprocess

from harness import Failure, case, equal, require
from network import KERNEL_ADDRESS6, STACK_ADDRESS6

from .client import python_server, succeeds
from .echo import binary_of, connect, echoes, text_of


@case("ipv6: messages of all sizes, both ways, websockets")
def every_size(carrier):
    carrier.share()

    async def scenario():
        async with connect(carrier.url6 + "/echo") as peer:
            for size in (0, 1, 125, 1000, 65536, 1 << 20, 4 << 20):
                await echoes(peer, text_of(size), f"text of {size}")
                await echoes(peer, binary_of(size), f"{size} bytes")

    asyncio.run(scenario())


@case("ipv6: both families at once, a hundred connections each")
def both_families(carrier):
    carrier.share()

    async def one(url, number):
        async with connect(url) as peer:
            await echoes(peer, f"{url} {number}", "the echo")

    async def scenario():
        await asyncio.gather(*(one(url + "/echo", number) for url in (carrier.url, carrier.url6) for number in range(100)))

    asyncio.run(scenario())


@case("ipv6: the kernel pings the stack, small and large", carriers=("dpdk",))
def ping(carrier):
    carrier.share()
    for size in (8, 56, 1400):
        done = subprocess.run(["ping", "-6", "-c", "3", "-i", "0.2", "-W", "5", "-s", str(size), STACK_ADDRESS6],
                              capture_output=True, text=True)
        if done.returncode != 0 or " 0% packet loss" not in done.stdout:
            raise Failure(f"ping with {size} bytes: {done.stdout}{done.stderr}")


@case("ipv6: the kernel finds the stack by neighbour discovery, again after forgetting it", carriers=("dpdk",))
def neighbour(carrier):
    carrier.share()
    for _ in range(2):
        subprocess.run(["ip", "-6", "neighbour", "flush", "to", STACK_ADDRESS6], check=True, capture_output=True)
        subprocess.run(["ping", "-6", "-c", "1", "-W", "5", STACK_ADDRESS6], check=True, capture_output=True)
        known = subprocess.run(["ip", "-6", "neighbour", "show", "to", STACK_ADDRESS6], capture_output=True,
                               text=True).stdout
        require("lladdr" in known and "REACHABLE" in known, f"the kernel's entry: {known}")


@case("ipv6: the stack as a client of the kernel's TCP, python3-websockets", carriers=("dpdk",))
def client(carrier):
    with python_server(KERNEL_ADDRESS6):
        succeeds(carrier, "exchange", server=KERNEL_ADDRESS6)
