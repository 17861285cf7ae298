"""TCP alone, between the stack and the kernel: bulk, loss, disorder, sizes, windows, closing, churn, options.

With MILLRACE_TEST_FULL set 64 MiB are moved on many connections where 20 % is lost. There a connection spends its time
on retransmission timeouts, whoever's TCP it is: of 1 GiB on 512 connections, from the kernel, 0.97 had come after 25
minutes, and the kernel had given up three of them."""

import socket
import time

from harness import Failure, case, equal, require
from middle import TO_KERNEL, Middle, lossy_bridge
from network import KERNEL_INTERFACE, STACK_INTERFACE, in_namespace, run
from transfer import FULL, MIB, PORT, Forwarder, Peer, Way, brief, exchange, finished, speed

GIB = 1 << 30


def both_ways(carrier, way, size, connections=1, patience=240 if FULL else 90):
    """First to the stack, then from it, in equal parts on so many connections at a time: the reports of each."""
    receiver = {"receive": size // connections, "end": "after", "connections": connections}
    sender = {"send": size // connections, "end": "sent", "connections": connections, "parallel": connections}
    there = exchange(carrier, way, receiver, sender, True, patience)
    finished(there, connections)
    back = exchange(carrier, way, sender, receiver, False, patience)
    finished(back, connections)
    print(f"      kernel to stack {speed(there[0], size)}, stack to kernel {speed(back[1], size)}")
    return there, back


# --- bulk ---

@case("tcp: 1 GiB each way, verified", carriers=("dpdk", "xdp"))
def bulk(carrier):
    there, back = both_ways(carrier, Way(carrier), GIB)
    for reports in (there, back):
        options = reports[1]["tcp"]
        require(options["timestamps"] and options["window_scale"] and options["sack"],
                f"the kernel does not use timestamps, window scale and SACK: {options}")
    require(back[1]["tcp"]["rcv_mss"] == 1448, f"our segments are not full: {back[1]['tcp']}")


@case("tcp: 64 MiB each way over IPv6, verified", carriers=("dpdk",))
def bulk_6(carrier):
    _, back = both_ways(carrier, Way(carrier, ipv6=True), GIB if FULL else 64 * MIB)
    require(back[1]["tcp"]["rcv_mss"] == 1428, f"our segments are not full: {back[1]['tcp']}")


def lossy(carrier, percent, size, connections=1, ipv6=False, patience=90):
    with lossy_bridge(carrier.network, percent * 10) as middle:
        way = Way(carrier, middle, ipv6=ipv6)
        way.options += ["--linger", "3"]  # the kernel's last FIN, or our answer, may be lost as well
        there, back = both_ways(carrier, way, size, connections, patience)
    require(there[1]["tcp"]["retransmitted"] > 0 and back[0]["counters"].get("tcp.RetransSegs", 0) > 0,
            f"nothing was lost: {brief(there)} {brief(back)}")
    return there, back


@case("tcp: 1 % of the packets lost", carriers=("dpdk",))
def lossy_1(carrier):
    lossy(carrier, 1, 64 * MIB)


@case("tcp: 5 % lost", carriers=("dpdk",))
def lossy_5(carrier):
    lossy(carrier, 5, 4 * MIB)


@case("tcp: 20 % lost", carriers=("dpdk",))
def lossy_20(carrier):
    lossy(carrier, 20, MIB // 4, patience=140)


@case("tcp: 1 % lost over IPv6", carriers=("dpdk",))
def lossy_6(carrier):
    lossy(carrier, 1, 16 * MIB, ipv6=True)


@case("tcp: 1 GiB on 32 connections, 1 % lost", carriers=("dpdk",))
def lossy_1_many(carrier):
    lossy(carrier, 1, GIB, 32)


@case("tcp: 1 GiB on 64 connections, 5 % lost", carriers=("dpdk",))
def lossy_5_many(carrier):
    lossy(carrier, 5, GIB, 64, patience=240)


if FULL:  # takes minutes: the last of many waits for the longest of all back-offs, however many they are

    @case("tcp: 64 MiB on 512 connections, 20 % lost", carriers=("dpdk",))
    def lossy_20_many(carrier):
        lossy(carrier, 20, 64 * MIB, 512, patience=1500)


# --- a wire that disorders ---

@case("tcp: 1 GiB each way; packets reordered, doubled, delayed and damaged", carriers=("dpdk",))
def disorder(carrier):
    with Middle(carrier.network) as middle:
        with Forwarder(carrier, middle, seed=1, reorder=0.02, duplicate=0.01, delay=0.01, corrupt=0.002) as forwarder:
            there, back = both_ways(carrier, Way(carrier, middle), GIB)
    for way in forwarder.ways:
        require(all(way[fault] > 0 for fault in ("duplicated", "reordered", "corrupted", "delayed")), str(way))
    require(there[0]["counters"].get("tcp.TCPOFOQueue", 0) > 100, f"nothing came out of order: {brief(there)}")


# --- sizes ---

def with_mtu(carrier, mtu):
    network = carrier.network
    try:
        set_mtu(network, mtu)
        there, back = both_ways(carrier, Way(carrier, mtu=mtu), GIB if FULL else 64 * MIB)
    finally:
        set_mtu(network, 1500)
    full = mtu - 40 - 12  # timestamps
    for reports in (there, back):
        equal(reports[1]["tcp"]["snd_mss"], full, f"the kernel's segments at MTU {mtu}")
    equal(back[1]["tcp"]["rcv_mss"], full, f"our segments at MTU {mtu}")


def set_mtu(network, mtu):
    run("ip", "-n", network.a, "link", "set", KERNEL_INTERFACE, "mtu", str(mtu))
    run("ip", "-n", network.b, "link", "set", STACK_INTERFACE, "mtu", str(mtu))


@case("tcp: MTU 1280", carriers=("dpdk",))
def mtu_1280(carrier):
    with_mtu(carrier, 1280)


@case("tcp: MTU 9000", carriers=("dpdk",))
def mtu_9000(carrier):
    with_mtu(carrier, 9000)


@case("tcp: a narrow link behind a router that says so, and one that does not", carriers=("dpdk",))
def path_mtu(carrier):
    """RFC 1191: fragmentation needed. RFC 4821: it is found out by what arrives."""
    size = 4 * MIB
    for silent in (False, True):
        with Middle(carrier.network, routed=True) as middle:
            run("ip", "-n", middle.name, "link", "set", TO_KERNEL, "mtu", "1300")
            if silent:
                middle.filter("table inet millrace { chain out { type filter hook output priority 0; "
                              "icmp type destination-unreachable drop; }\n}")
            reports = exchange(carrier, Way(carrier, middle), {"send": size, "end": "sent"},
                               {"receive": size, "end": "after"}, False)
        finished(reports)
        counters = reports[0]["counters"]
        learnt = "tcp.PathMtuBlackHoles" if silent else "tcp.PathMtuReductions"
        require(counters.get(learnt, 0) > 0, f"{learnt} is zero: {brief(reports)}")
        require(reports[1]["tcp"]["rcv_mss"] <= 1300 - 52, f"segments do not fit: {brief(reports)}")


# --- windows ---

@case("tcp: tiny windows, the kernel's, ours, and both", carriers=("dpdk",))
def tiny_windows(carrier):
    size = 2 * MIB
    way = Way(carrier)
    ours, its = {"window": 2000, "send_limit": 3000}, {"rcvbuf": 2304, "clamp": 1000, "sndbuf": 4608}
    for stack, kernel in ((ours, {}), ({}, its), (ours, its)):
        finished(exchange(carrier, way, {"send": size, "receive": size, **stack},
                          {"send": size, "receive": size, **kernel}))


@case("tcp: both readers stall 20 s behind a closed window", carriers=("dpdk",))
def zero_window(carrier):
    size = 16 * MIB
    stall = {"stall_at": MIB, "stall": 20}
    before = kernel_counter("TCPWantZeroWindowAdv")
    reports = exchange(carrier, Way(carrier), {"send": size, "receive": size, **stall},
                       {"send": size, "receive": size, **stall})
    finished(reports)
    require(reports[0]["seconds"] > 19, f"nothing stalled: {brief(reports)}")
    require(reports[0]["counters"].get("tcp.TCPWinProbe", 0) >= 3, f"we sent no window probes: {brief(reports)}")
    require(kernel_counter("TCPWantZeroWindowAdv") > before, "the kernel's window never closed")


def kernel_counter(name):
    """A counter of the namespace that the kernel's peer is in, as nstat has it."""
    with open("/proc/self/net/netstat") as file:
        lines = [line.split() for line in file]
    for names, values in zip(lines[::2], lines[1::2]):
        if name in names:
            return int(values[names.index(name)])
    raise Failure(f"the kernel has no counter {name}")


# --- the end ---

ORDERS = {
    # how: (the client's end, the server's, what the client sees, what the server sees)
    "client first": ("done", "after", "finished", "finished"),
    "server first": ("after", "done", "finished", "finished"),
    "client's half first": ("sent", "after", "finished", "finished"),
    "server's half first": ("after", "sent", "finished", "finished"),
    "client resets": ("reset", "after", "aborted", "reset"),
    "server resets": ("after", "reset", "reset", "aborted"),
}
RESET = {"stack": "reset by peer", "kernel": "Connection reset by peer"}


@case("tcp: every order of closing, the stack as server and as client", carriers=("dpdk",))
def closing(carrier):
    close_in_every_order(carrier, Way(carrier))


@case("tcp: every order of closing, IPv6", carriers=("dpdk",))
def closing_6(carrier):
    close_in_every_order(carrier, Way(carrier, ipv6=True))


def close_in_every_order(carrier, way):
    connections = 20
    for stack_listens in (True, False):
        client, server = ("kernel", "stack") if stack_listens else ("stack", "kernel")
        for order, (client_end, server_end, client_sees, server_sees) in ORDERS.items():
            short = {"send": 100, "receive": 100_000, "connections": connections}
            long = {"send": 100_000, "receive": 100, "connections": connections}
            # Whoever ends its half first has little to send: the other goes on for long afterwards.
            first_is_server = order == "server's half first"
            options = {client: {**(long if first_is_server else short), "end": client_end, "parallel": 5},
                       server: {**(short if first_is_server else long), "end": server_end}}
            options["stack"].pop("parallel", 0) if stack_listens else options["kernel"].pop("parallel", 0)
            reports = exchange(carrier, way, options["stack"], options["kernel"], stack_listens, 30)
            for name, report in zip(("stack", "kernel"), reports):
                sees = client_sees if name == client else server_sees
                equal(report["ends"], {RESET[name] if sees == "reset" else sees: connections},
                      f"{order}, the {client} as client: what the {name} sees, in {brief(reports)}")
                equal(report["incomplete"], 0, f"{order}: incomplete at the {name}")
                equal(report["open"], 0, f"{order}: still open at the {name}")


@case("tcp: both ends close at the same time", carriers=("dpdk",))
def simultaneous(carrier):
    """No FIN passes before both have sent theirs (RFC 9293 section 3.6, case 3)."""
    way = Way(carrier)
    for stack_listens in (True, False):
        run("nft", """table inet millrace_fin {
            chain in { type filter hook input priority 0; tcp flags & fin == fin drop; }
            chain out { type filter hook output priority 0; tcp flags & fin == fin drop; }
        }""")
        cut = True

        def let_pass():
            nonlocal cut
            time.sleep(0.5)
            run("nft", "delete table inet millrace_fin")
            cut = False

        try:
            finished(exchange(carrier, way, {"send": 5000, "receive": 5000}, {"send": 5000, "receive": 5000},
                              stack_listens, 30, let_pass))
        finally:
            if cut:
                run("nft", "delete table inet millrace_fin")


@case("tcp: 20,000 connections come and go, to the stack and from it", carriers=("dpdk",))
def churn(carrier):
    way = Way(carrier)
    small = {"send": 200, "receive": 200}
    for stack_listens, connections, server_end, client_end in ((True, 10_000, "done", "after"),
                                                               (True, 5_000, "after", "done"),
                                                               (False, 5_000, "done", "after")):
        listener = {**small, "connections": connections, "end": server_end}
        caller = {**small, "connections": connections, "parallel": 64, "end": client_end}
        stack, kernel = (listener, caller) if stack_listens else (caller, listener)
        reports = exchange(carrier, way, stack, kernel, stack_listens)
        finished(reports, connections)
        print(f"      {connections / reports[0]['seconds']:.0f} connections a second")


# --- options and probes ---

@case("tcp: the kernel's keep-alive probes are answered", carriers=("dpdk",))
def keep_alive(carrier):
    """An idle connection outlives what the kernel waits for an answer: probes after 1 s, three of them."""
    carrier.stop()
    way = Way(carrier)
    before = kernel_counter("TCPKeepAlive")
    peer = Peer(in_namespace(way.network.b, way.program("tests/interop/stack-peer"), *way.options, "--listen",
                             f"{way.stack}:{PORT}", "--echo", "--receive", "0", "--end", "after"))
    try:
        peer.wait_until_ready()
        with socket.create_connection((way.stack, PORT), 10) as connection:
            for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 3)):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            time.sleep(6)
            connection.shutdown(socket.SHUT_WR)
            equal(connection.recv(1), b"", "after the idle time")
        equal(peer.report(10)["ends"], {"finished": 1}, "the stack's view")
        require(kernel_counter("TCPKeepAlive") - before >= 3, "the kernel sent no probes")
    finally:
        peer.kill()
