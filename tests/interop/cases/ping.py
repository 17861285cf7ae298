"""The kernel's ping: ARP and ICMP echo (RFC 826, RFC 792)."""

import subprocess

from harness import case, equal, require

SIZES = sorted({*range(0, 1473, 23), 1, 7, 8, 15, 16, 17, 55, 56, 57, 1471, 1472})


@case("ping answers every size", carriers=("dpdk", "xdp"))
def ping(carrier):
    carrier.share()
    for size in SIZES:
        # ping compares the payload that comes back with what it sent, and says "wrong data byte" where it differs.
        done = subprocess.run(["ping", "-n", "-q", "-c", "2", "-i", "0.002", "-W", "5", "-M", "do", "-s", str(size),
                               carrier.address], capture_output=True, text=True)
        equal(done.returncode, 0, f"ping -s {size}\n{done.stdout}{done.stderr}")
        require("wrong data" not in done.stdout, f"ping -s {size}: {done.stdout}")
