#!/usr/bin/env python3
"""What N cores and a real NIC would give, from what an operation costs here: a model, with its assumptions.

    bench/model/model.py [--build build] [--cores 1,2,4,...] [--link GBIT] [--packets MPPS] [--memory GBYTE]

It measures first, with the build's own programs: CPU time, which neighbours do not change much, of the lab's handshakes
and echoes, and the benchmark `path/echo` for what a message costs on its way in and on its way out. Then it says what
bounds each rate for each number of cores, and shows how the cost of an echo changed here with 1, 2, 4 and 8 shards in
turns on one core: a check of its first assumption, as far as one core goes. --costs FILE takes what --save FILE has
kept instead.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field

HEADERS = 14 + 20 + 32  # Ethernet, IPv4, TCP with timestamps
ON_THE_WIRE = 4 + 8 + 12  # checksum, preamble, gap
REQUEST = 200  # bytes, about: the client's head, or the server's answer and the options of a SYN
LINE = 64

ASSUMPTIONS = """\
Measured: CPU time and segments of an operation, on this machine. Assumed, and not measured:
  1. Cores add up: shards share nothing (tests/loop), so N of them do N times the work of one. The caches that cores have
     in common, and clocks that fall as more cores work, are left out.
  2. A NIC's driver costs as much as the cable's copy does here; checksums are still computed by us.
  3. Of a handshake, which is measured at both ends together, the server's half is half.
  4. The connections are many and equally busy; the NIC deals {reta} table entries to the cores as evenly as it goes, so
     where that leaves a remainder the cores with more entries are full first.
  5. Each packet is on the link and in the NIC's packet rate once; PCIe moves what the NIC's packet rate promises.
  6. An echo touches {lines} cache lines of memory (connection, slot, table, packet in, packet out), all missed.
  7. A core here is what nproc counts, a hardware thread."""


@dataclass
class Costs:
    """Of one operation, in ns of one core's time; and what it puts on the wire."""

    handshake_both_ns: float  # TCP and WebSocket, client and server
    echo_both_ns: float
    message_in_ns: float  # at the server, from the receive burst to the unmasked message
    message_out_ns: float  # from the message to the transmit burst
    handshake_packets: float  # to the server
    echo_packets: float
    payload: int = 32
    scaling: dict = field(default_factory=dict)  # the server's shards, in turns on one core: ns of an echo, both ends


@dataclass
class Machine:
    link_gbit: float = 100
    packets_m: float = 100  # millions a second, each way
    memory_gbyte: float = 200  # a second
    reta: int = 128
    lines: int = 12


def evenness(cores, reta):
    """The share of its time that a core works, on average, when the fullest one works all of it."""
    return reta / math.ceil(reta / cores) / cores


def operations(costs):
    """name: (ns at the server, packets each way, bytes of a packet behind its headers)"""
    payload = costs.payload + 6  # a client's frame header
    return {
        "handshakes": (costs.handshake_both_ns / 2, costs.handshake_packets, REQUEST / costs.handshake_packets),
        "messages in": (costs.message_in_ns, costs.echo_packets, payload),
        "messages out": (costs.message_out_ns, costs.echo_packets, payload),
        "echoes": (costs.message_in_ns + costs.message_out_ns, costs.echo_packets, payload),
    }


def capacity(costs, cores, machine):
    """name: (a second, what bounds it)"""
    rates = {}
    for name, (ns, packets, payload) in operations(costs).items():
        bounds = {
            "cores": cores * evenness(cores, machine.reta) * 1e9 / ns,
            "packets": machine.packets_m * 1e6 / packets,
            "link": machine.link_gbit * 1e9 / 8 / (packets * (HEADERS + ON_THE_WIRE + payload)),
            "memory": machine.memory_gbyte * 1e9 / (machine.lines * LINE),
        }
        bound = min(bounds, key=bounds.get)
        rates[name] = (bounds[bound], bound)
    return rates


# --- measuring ---


def run(command):
    """What the command writes to its --json file, and the CPU seconds that it took."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        process = subprocess.Popen([*command, result.name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"model: {' '.join(command)} ended with status {process.returncode}: {said.decode()[-300:]}")
        return json.load(open(result.name)), usage.ru_utime + usage.ru_stime


def lab(build, *arguments):
    return run([f"{build}/bench/millrace-bench", "lab", *arguments, "--json"])


def cost_of(build, small, large, count):
    """ns of CPU a unit of count(result): of what the larger run has more, so that setting up does not count."""
    costs = []
    for _ in range(3):
        few, short = lab(build, *small)
        many, long = lab(build, *large)
        costs.append((long - short) * 1e9 / (count(many) - count(few)))
    return sorted(costs)[1]


def echo_cost(build, *cores):
    stages = ("--stages", "echo", "--connections", "1k", *cores)
    return cost_of(build, (*stages, "-d", "500ms"), (*stages, "-d", "2500ms"),
                   lambda result: result["counters"]["server"]["ws_messages_received"])


def path_costs(build):
    """A message's way in and out by the steps of path/echo/100000."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([f"{build}/bench/micro/millrace-bench-micro", "--benchmark_filter=^path/echo/100000",
                        "--benchmark_repetitions=5", f"--benchmark_out={file.name}"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows = json.load(open(file.name))["benchmarks"]
    median = next(row for row in rows if row.get("aggregate_name") == "median")
    return split_path(median)


STEPS_IN = ("a free", "b rx", "c ip in", "d lookup", "e tcp in", "f decode", "h timers")
STEPS_OUT = ("g encode", "i tcp out", "j ip out", "k tx")


def split_path(row):
    return sum(row[step] for step in STEPS_IN), sum(row[step] for step in STEPS_OUT)


def measure(build):
    cpu = str(min(os.sched_getaffinity(0)))
    one = ("--cores", cpu)
    message_in, message_out = path_costs(build)
    connect = lambda n: ("--stages", "connect", "--connections", n, *one)
    opened = lambda result: result["stages"]["connect"]["connections"]
    result, _ = lab(build, *connect("100k"))
    return Costs(
        handshake_both_ns=cost_of(build, connect("50k"), connect("250k"), opened),
        echo_both_ns=echo_cost(build, *one),
        message_in_ns=message_in,
        message_out_ns=message_out,
        handshake_packets=result["counters"]["server"]["tcp.InSegs"] / opened(result),
        echo_packets=1,
        # In one thread, where none waits for another: CPU time would count the waiting.
        scaling={n: echo_cost(build, "--cores-server", ",".join([cpu] * n), "--cores-client", cpu)
                 for n in (1, 2, 4, 8)},
    )


# --- saying ---


def rate(number):
    return f"{number / 1e6:.3g}M" if number < 999.5e6 else f"{number / 1e9:.3g}G"


def report(costs, cores, machine):
    lines = [f"handshake {costs.handshake_both_ns:.0f} ns and echo {costs.echo_both_ns:.0f} ns of CPU, both ends;",
             f"at the server a message costs {costs.message_in_ns:.0f} ns in and {costs.message_out_ns:.0f} ns out "
             f"(100,000 connections, cold)", ""]
    names = list(operations(costs))
    lines.append("| cores | " + " | ".join(names) + " |")
    lines.append("|---" * (len(names) + 1) + "|")
    for n in cores:
        cells = [f"{rate(value)}{'' if bound == 'cores' else ' (' + bound + ')'}"
                 for value, bound in capacity(costs, n, machine).values()]
        lines.append(f"| {n} | " + " | ".join(cells) + " |")
    lines += ["", f"a second, {costs.payload} bytes a message, at {machine.link_gbit:g} Gbit/s, {machine.packets_m:g}M packets a "
              f"second each way,", f"{machine.memory_gbyte:g} GB/s of memory; bounded by the cores where nothing else is named.", ""]
    if costs.scaling:
        lines.append("measured: ns of CPU an echo, both ends, with so many shards of the server in turns on one core: " +
                     ", ".join(f"{n}: {ns:.0f}" for n, ns in costs.scaling.items()))
        lines.append("")
    lines.append(ASSUMPTIONS.format(reta=machine.reta, lines=machine.lines))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build", help="a build with millrace-bench and millrace-bench-micro")
    parser.add_argument("--cores", default="1,2,4,8,16,32,64,96")
    parser.add_argument("--link", type=float, default=Machine.link_gbit, help="Gbit/s (default %(default)s)")
    parser.add_argument("--packets", type=float, default=Machine.packets_m,
                        help="millions a second that the NIC moves each way (default %(default)s)")
    parser.add_argument("--memory", type=float, default=Machine.memory_gbyte, help="GB/s (default %(default)s)")
    parser.add_argument("--reta", type=int, default=Machine.reta, help="entries of the NIC's table that differ (default %(default)s)")
    parser.add_argument("--costs", metavar="FILE", help="take these, measure nothing")
    parser.add_argument("--save", metavar="FILE", help="keep what was measured")
    arguments = parser.parse_args()
    if arguments.costs:
        costs = Costs(**json.load(open(arguments.costs)))
    else:
        costs = measure(arguments.build)
    if arguments.save:
        json.dump(asdict(costs), open(arguments.save, "w"), indent=2)
    machine = Machine(arguments.link, arguments.packets, arguments.memory, arguments.reta)
    print(report(costs, [int(n) for n in arguments.cores.split(",")], machine))


if __name__ == "__main__":
    main()
