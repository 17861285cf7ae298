"""Options that are wrong: one sentence on standard error, exit status 2."""

import json
import os
import subprocess
import tempfile

from carrier import EAL, PATIENCE, SERVER
from harness import case, equal, require
from network import STACK_CIDR, STACK_INTERFACE


def refused(carrier, *options, names=""):
    """`names` is what the sentence must mention for its reader to know what to mend."""
    status, said = carrier.run_to_end("serve", *options)
    what = f"serve {' '.join(options)}: {said!r}"
    equal(status, 2, f"{what}: exit status")
    lines = said.splitlines()
    equal(len(lines), 1, f"{what}: lines on standard error")
    require(names in lines[0], f"{what}: does not mention {names!r}")


@case("options: unknown ones and values that make no sense", carriers=("uring",))
def nonsense(carrier):
    refused(carrier, "--no-such-option", names="--no-such-option")
    refused(carrier, "--net", "carrier-pigeon", names="carrier-pigeon")
    for bad in ("nonsense", "ws://", "ws://127.0.0.1:99999", "ws://127.0.0.1:x", "http://127.0.0.1:9001",
                "ws://300.0.0.1:9001"):
        refused(carrier, "--listen", bad)
    refused(carrier, "--max-message", "many", names="many")
    refused(carrier, "--cores", "zero")
    refused(carrier, "--cores", "1000", names="1000")


@case("doctor: finds what is so on this machine, as text and as JSON", carriers=("uring",))
def doctor(carrier):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "found.json")
        done = subprocess.run([carrier.program(SERVER), "doctor", "--json", path], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    by_name = {finding["check"]: finding for finding in found["findings"]}
    equal(done.returncode, 0 if found["bad"] == 0 else 1, "exit status")
    equal(done.stdout.splitlines()[-1], f"{found['good']} good, {found['bad']} bad, {found['unknown']} unknown", "summary")
    with open("/sys/devices/system/clocksource/clocksource0/current_clocksource", encoding="utf-8") as file:
        clock = file.read().strip()
    require(clock in by_name["clock source"]["found"], by_name["clock source"]["found"])
    for finding in by_name.values():
        require(finding["found"] in done.stdout and finding["remedy"] in done.stdout, finding["check"])
    status, said = carrier.run_to_end("doctor", "--cores", "zero")
    equal((status, len(said.splitlines())), (2, 1), said)


@case("options: a port that is in use, an address that is not ours", carriers=("uring",))
def busy(carrier):
    carrier.share()
    refused(carrier, "--listen", carrier.url, names="9001")
    refused(carrier, "--listen", "ws://192.0.2.1:9001", names="192.0.2.1")


@case("options: DPDK without an address, with a bad one, with bad EAL arguments", carriers=("dpdk",))
def dpdk(carrier):
    carrier.stop()
    listen = ("--net", "dpdk", "--listen", carrier.url)
    refused(carrier, *listen, "--eal", carrier.eal)
    refused(carrier, *listen, "--eal", carrier.eal, "--ip", "10.77.0.2/99", names="10.77.0.2/99")
    refused(carrier, *listen, "--eal", carrier.eal, "--ip", "nonsense", names="nonsense")
    refused(carrier, *listen, "--eal", carrier.eal, "--ip", STACK_CIDR, "--gateway", "nonsense", names="nonsense")
    refused(carrier, *listen, "--eal", "--no-such-argument", "--ip", STACK_CIDR)
    refused(carrier, *listen, "--eal", f"{EAL}net_af_packet0,iface=no-such-one", "--ip", STACK_CIDR)
    refused(carrier, *listen, "--eal", f"{EAL}net_no_such_driver0,iface={STACK_INTERFACE}", "--ip", STACK_CIDR)
    refused(carrier, *listen, "--eal", "--no-huge --no-pci --no-shconf -m 512", "--ip", STACK_CIDR)
