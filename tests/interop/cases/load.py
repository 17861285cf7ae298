"""`millrace-bench load`: every mode against Millrace and other makes, over both carriers, plain and wss; what it counts is
what happened."""

import asyncio
import contextlib
import http
import itertools
import json
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time

import websockets

from carrier import PATIENCE, SERVER
from echo_servers import bare, echo_servers
from harness import Skip, case, equal, require
from process import Process

from .client import SERVER_PORT, listening, python_servers
from .echo import HERE
from .tls import secure_server, url

BENCH = "bench/millrace-bench"
SHORT = ("-d", "300ms", "--warmup", "100ms")


def run(carrier, *arguments, command="load", at=list, limit=None, patience=PATIENCE):
    """Exit status, the result file, and standard error."""
    done = subprocess.run(at((carrier.program(BENCH), command, *arguments, "--json", "-")), capture_output=True,
                          timeout=patience, check=False, preexec_fn=limit, stdin=subprocess.DEVNULL)
    said = done.stderr.decode(errors="replace")
    return done.returncode, json.loads(done.stdout) if done.stdout else None, said


def whole(result, connections, what):
    """The load of a run in which nothing was lost; the result's own verdict may blame a busy machine's lag."""
    status, result, said = result
    require(result, f"{what}: no result: {said}")
    equal(result["stages"].get("connect", {}).get("failed", 0), 0, f"{what}: failed to open: {said}")
    load = result["stages"]["load"]
    require(load["messages"] > 0, f"{what}: nothing came: {said}")
    for key in ("lost", "corrupted", "closed"):
        equal(load[key], 0, f"{what}: {key}: {said}")
    equal(load["connections"], connections, f"{what}: connections")
    whole_but_late(status, result, said, what)
    return load


def whole_but_late(status, result, said, what):
    """Nothing makes it invalid but what a busy machine does to any generator."""
    because = [why for why in result["invalid_because"] if "lagged" not in why and "was not reached" not in why]
    equal(because, [], f"{what}: why invalid")
    equal(status, 3 if result["invalid_because"] else 0, f"{what}: exit status: {said}")


@contextlib.contextmanager
def python_server_of(handler, **options):
    """A websockets server with this handler, in a thread of its own; its URL."""
    loop = asyncio.new_event_loop()
    started, stop, port = threading.Event(), loop.create_future(), []

    async def run_server():
        async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None, **options) as server:
            port.append(server.sockets[0].getsockname()[1])
            started.set()
            await stop

    thread = threading.Thread(target=loop.run_until_complete, args=(run_server(),), daemon=True)
    thread.start()
    started.wait(PATIENCE)
    try:
        yield f"ws://127.0.0.1:{port[0]}/"
    finally:
        loop.call_soon_threadsafe(stop.set_result, None)
        thread.join(PATIENCE)


@case("load: closed loop, open loop, listening and churn; every echo verified")
def modes(carrier):
    carrier.share()
    load = whole(run(carrier, carrier.echo, "-c", "40", "--in-flight", "3", "--size", "0-70000", *SHORT), 40, "closed loop")
    require(load["rtt_ns"]["min"] > 0 and load["rtt_ns"]["p50"] <= load["rtt_ns"]["max"], f"round trips: {load['rtt_ns']}")
    load = whole(run(carrier, carrier.echo, "-c", "10", "-R", "500", *SHORT), 10, "open loop")
    equal(load["sent"], 200, "messages that were due in 0.4 s")
    load = whole(run(carrier, carrier.echo, "-c", "5", "--churn", "--deflate", "on", *SHORT), 5, "churn")
    require(load["sent"] >= load["messages"], f"a message a round: {load}")
    whole(run(carrier, carrier.echo, "-c", "3", "-m", "h\u00e9llo", *SHORT), 3, "a text of one's own")
    status, result, _ = run(carrier, carrier.echo, "-c", "3", "--no-echo", *SHORT)
    equal((status, result["stages"]["load"]["messages"]), (3, 0), "listening to one who says nothing")


@case("load: a search for the highest rate ends between one that was kept and one that was not", carriers=("uring",))
def search(carrier):
    carrier.share()
    status, result, said = run(carrier, carrier.echo, "-c", "4", "-R", "100", "--find-max-rate", "--slo", "rate<1500",
                               "--warmup", "50ms", "-d", "500ms")
    require(result, said)
    tries = result["stages"]["load"]["tries"]
    kept = [one["rate_per_s"] for one in tries if not one["too_much"]]
    over = [one["rate_per_s"] for one in tries if one["too_much"]]
    require(over and kept == [] or max(kept) < min(over), f"what was kept and what was not: {tries}")
    if kept:  # a busy machine may lag at any rate
        equal(result["stages"]["load"]["requested_per_s"], max(kept), "whose result it is")
    require(status in (0, 3), said)


@case("load: over wss, with a certificate that is believed and without")
def secure(carrier):
    with secure_server(carrier) as (_, certificates):
        whole(run(carrier, url(carrier), "--ca", certificates.ca, "-c", "8", *SHORT), 8, "with its CA")
        status, result, _ = run(carrier, url(carrier), "-c", "8", *SHORT)
        failed = result["stages"]["connect"]
        equal((status, failed["failed"]), (3, 8), "without")
        require(any("not trusted" in why for why in failed["failed_because"]), f"the reason: {failed}")


def register(name):
    @case(f"load: to the echo server of {name}, every echo verified", carriers=("uring",))
    def against(carrier):
        if not (program := echo_servers(carrier.program)[name]):
            raise Skip("it is not here (scripts/setup)")
        with listening(*bare(name, program, "127.0.0.1", SERVER_PORT)):
            server = f"ws://127.0.0.1:{SERVER_PORT}/"
            whole(run(carrier, server, "-c", "20", "--in-flight", "3", "--size", "0-70000", *SHORT), 20, "closed loop")
            whole(run(carrier, server, "-c", "10", "-R", "500", "--binary", *SHORT), 10, "open loop")


for its_name in ("libwebsockets", "Boost.Beast", "Node's ws"):
    register(its_name)


@case("load: a generator of another make, npm's loadtest, and the server counts what it counts", carriers=("uring",))
def foreign(carrier):
    with carrier.serve() as server:
        program = os.path.join(HERE, "node/node_modules/loadtest/bin/loadtest.js")
        done = subprocess.run(["node", program, "-n", "2000", "-c", "10", carrier.echo], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        equal((done.returncode, re.findall(r"Completed requests:\s+(\d+)|Total errors:\s+(\d+)", done.stdout)),
              (0, [("2000", ""), ("", "0")]), f"what it says: {done.stdout}{done.stderr}")
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "the server's exit status")
    [(opened, messages)] = served(server.said())
    equal(opened, 10, "connections")
    require(2000 <= messages < 2010, f"messages, and what was under way on each when it stopped: {messages}")


@case("load: what goes wrong is counted by its reason, and the run ends")
def reasons(carrier):
    carrier.share()
    status, result, _ = run(carrier, carrier.url + "/nothing", "-c", "7", *SHORT)
    equal((status, result["stages"]["connect"]["failed_because"]), (3, {"handshake: HTTP 404": 7}), "no such path")
    require("load" not in result["stages"], "nothing was open, and nothing was measured")
    status, result, _ = run(carrier, f"ws://{carrier.address}:9/", "-c", "7", *SHORT)
    equal((status, result["stages"]["connect"]["failed_because"]), (3, {"connect: refused": 7}), "no listener")
    status, _, said = run(carrier, carrier.echo, "--threshold", "p50<1ns", *SHORT)
    equal(status, 1, f"a threshold that nobody reaches: {said}")
    require("MISSED: p50 is" in said, f"which one: {said}")


@case("load: a server that dies in the middle")
def dies(carrier):
    with carrier.serve() as server, tempfile.NamedTemporaryFile(suffix=".json") as out:
        with Process([carrier.program(BENCH), "load", carrier.echo, "-c", "50", "-d", "1h", "--ping-interval", "1s",
                      "--json", out.name]) as load:
            time.sleep(3)
            server.signal(signal.SIGKILL)
            server.wait(PATIENCE)
            equal(load.wait(PATIENCE), 3, "exit status")
        with open(out.name, encoding="utf-8") as file:
            result = json.load(file)
    equal(result["stages"]["load"]["closed"], 50, f"connections: {result['stages']['load']}")
    require(result["stages"]["load"]["messages"] > 0, "it worked before")
    require(any("all connections" in why for why in result["invalid_because"]), f"why: {result['invalid_because']}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@contextlib.contextmanager
def endless(carrier, *options):
    """A load without end, of some connections that talk, and where its result will be."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        with Process([carrier.program(BENCH), "load", carrier.echo, "-c", "40", "-d", "1h", "--warmup", "0", "--json",
                      out.name, *options]) as load:
            time.sleep(1.5)
            yield load, out.name


@case("load: interrupted, it ends at once with what it has measured, and says that it is not all")
def interrupted(carrier):
    carrier.share()
    for options in ((), ("-R", "200"), ("--churn",)):
        with endless(carrier, *options) as (load, out):
            load.signal(signal.SIGINT)
            equal(load.wait(10), 3, f"exit status {options}: {load.said()}")
            result = read(out)
            measured = result["stages"]["load"]
            require("interrupted while talking" in result["invalid_because"], f"why: {result['invalid_because']}")
            equal([measured[key] for key in ("lost", "corrupted", "closed")], [0, 0, 0], f"what went wrong {options}")
            require(0 < measured["seconds"] < 60, f"the time that was measured: {measured['seconds']}")
            equal(measured["messages_per_s"], measured["messages"] / measured["seconds"], "rate")


@case("load: interrupted while a server keeps it waiting", carriers=("uring",))
def interrupted_twice(carrier):
    with carrier.serve() as server:
        with endless(carrier) as (load, out):
            server.signal(signal.SIGSTOP)
            time.sleep(0.2)
            load.signal(signal.SIGINT)
            equal(load.wait(20), 3, "exit status when the server is silent")
            lost = read(out)["stages"]["load"]["lost"]
            require(0 < lost <= 40, f"what was under way, one message on each connection at most: {lost}")
        server.signal(signal.SIGCONT)
        with endless(carrier) as (load, out):
            server.signal(signal.SIGSTOP)
            time.sleep(0.2)
            load.signal(signal.SIGINT)
            time.sleep(0.2)
            load.signal(signal.SIGINT)
            equal(load.wait(1), 128 + signal.SIGINT, "exit status of the second one")
            equal(os.path.getsize(out), 0, "bytes of a result")
        server.signal(signal.SIGCONT)


@case("load: several processes make one load, and one result", carriers=("uring",))
def processes(carrier):
    several = ("--processes", "3", "--src-ip", "127.0.0.5-127.0.0.10")
    with carrier.serve() as server:
        loads = [whole(run(carrier, carrier.echo, "-c", "31", *options, *several, *SHORT), 31, str(options))
                 for options in ((), ("-R", "1k", "--size", "0-70000"))]
        equal(loads[1]["sent"], 400, "messages that were due in 0.4 s")
        status, result, said = run(carrier, carrier.url + "/nothing", "-c", "31", *several, *SHORT)
        equal((status, result["stages"]["connect"]["failed_because"]), (3, {"handshake: HTTP 404": 31}), said)
        equal((result["processes"]["count"], result["processes"]["lost"]), (3, []), "processes")
        status, _, said = run(carrier, f"ws://127.0.0.1:{SERVER_PORT}/", "-c", "2", *several)
        equal(status, 2, f"fewer connections than processes: {said}")
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "the server's exit status")
    equal(served(server.said()), [(62, sum(load["sent"] for load in loads))], "what the server counted")


def served(said):
    """WebSockets and messages, of each shard that a server speaks of at its end."""
    return [(int(opened), int(messages)) for opened, messages in
            re.findall(r"opened (\d+) WebSockets and received (\d+) messages", said)]


@case("load: 64,000 connections of four processes to the two shards each of four servers", carriers=("uring",))
def more_than_a_process_may_have(carrier):
    connections = 64000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most[1] < connections // 4 * 1.2:  # they do not spread evenly
        raise Skip(f"a process may have {most[1]} files open")
    cpus = sorted(os.sched_getaffinity(0))
    carrier.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, most)
        # More than one shard, and so a port that is shared.
        servers = [stack.enter_context(Process([carrier.program(SERVER), "serve", "--cores", f"{cpus[0]},{cpus[-1]}", "--listen",
                                                carrier.url])) for _ in range(4)]
        for server in servers:
            server.wait_for_line("millrace: listening", PATIENCE)
        load = whole(run(carrier, carrier.echo, "-c", str(connections), "--processes", "4", "--src-ip", "127.0.0.1-127.0.0.8",
                         "--warmup", "0", "-d", "3s"), connections, "all of them")
        for server in servers:
            server.signal(signal.SIGTERM)
        equal([server.wait(PATIENCE) for server in servers], [0] * 4, "the servers' exit statuses")
        shards = [shard for server in servers for shard in served(server.said())]
    equal((len(shards), sum(opened for opened, _ in shards), sum(messages for _, messages in shards)),
          (8, connections, load["sent"]), "what the servers counted")


@case("load: 20,000 connections of two processes", carriers=("dpdk",))
def many_over_veth(carrier):
    connections = 20000
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < connections / 2 + 300:
        raise Skip("a process may have too few files open")
    with carrier.serve() as server:
        load = whole(run(carrier, carrier.echo, "-c", str(connections), "--processes", "2", "--handshake-timeout", "60s",
                         "-R", "5k", "--warmup", "0", "-d", "2s", patience=4 * PATIENCE), connections, "all of them")
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "the server's exit status")
    equal(served(server.said()), [(connections, load["sent"])], "what the server counted")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


@case("load: a process that is lost is told of, and the others go on", carriers=("uring",))
def lost_process(carrier):
    carrier.share()
    with endless(carrier, "--processes", "4") as (load, out):
        os.kill(children(load.pid)[1], signal.SIGKILL)
        time.sleep(0.5)
        load.signal(signal.SIGINT)
        equal(load.wait(10), 3, "exit status")
        result = read(out)
    equal(result["processes"]["lost"], ["process 3 of 4: killed by signal 9 (Killed)"], "who")
    require(any("process 3 of 4" in why for why in result["invalid_because"]), f"why: {result['invalid_because']}")
    load = result["stages"]["load"]
    equal((load["connections"], load["lost"], load["corrupted"]), (30, 0, 0), "the others'")
    require(load["messages"] > 0, "messages of the others")


@case("load: a server that refuses every other connection", carriers=("uring",))
def picky(carrier):
    turn = itertools.count()

    async def every_other(*_):
        return None if next(turn) % 2 else (http.HTTPStatus.SERVICE_UNAVAILABLE, [], b"full\n")

    async def echo(peer):
        async for message in peer:
            await peer.send(message)

    with python_server_of(echo, process_request=every_other) as server:
        status, result, said = run(carrier, server, "-c", "20", *SHORT)
    equal(status, 3, said)
    connect, load = result["stages"]["connect"], result["stages"]["load"]
    equal((connect["connections"], connect["failed_because"]), (10, {"handshake: HTTP 503": 10}), "opened, and refused")
    equal((load["connections"], load["lost"], load["closed"]), (10, 0, 0), "those that were let in")
    require(load["messages"] > 0, "messages")


@case("load: limits are said before the run, with the remedy", carriers=("uring",))
def limits(carrier):
    carrier.share()

    def few_descriptors():
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))

    status, result, said = run(carrier, carrier.echo, "-c", "1000", limit=few_descriptors)
    equal((status, result), (2, None), "exit status")
    require(re.search(r"1,000 connections need 1,\d+ file descriptors.*1,000.*ulimit", said), said)
    whole(run(carrier, carrier.echo, "-c", "700", *SHORT, limit=few_descriptors), 700, "what the limit allows")


class Listener:
    """Writes down who came and what was said, and says three things to each."""

    def __init__(self):
        self.peers, self.said = set(), []

    async def serve(self, peer):
        self.peers.add(peer.remote_address[0])
        self.said.append(await peer.recv())
        for _ in range(3):
            await peer.send("news")
        await peer.wait_closed()


@case("load: source addresses in turn, subscriptions with each connection's number", carriers=("uring",))
def subscriptions(carrier):
    listener = Listener()
    with python_server_of(listener.serve) as server, tempfile.NamedTemporaryFile("w", suffix=".json") as template:
        template.write('{"id":{n},"again":{n}}')
        template.flush()
        status, result, said = run(carrier, server, "-c", "12", "--subscribe", template.name, "--src-ip", "127.0.0.5-127.0.0.8",
                                   "--warmup", "0", "-d", "300ms")
    require(result and result["stages"]["connect"]["failed"] == 0, said)
    equal(listener.peers, {f"127.0.0.{i}" for i in range(5, 9)}, "where they came from")
    equal(sorted(json.loads(text)["id"] for text in listener.said), list(range(12)), "what was said")
    require(all(json.loads(text)["again"] == json.loads(text)["id"] for text in listener.said), "every {n}")
    equal(result["stages"]["load"]["corrupted"], 0, "news are no echoes")


@case("load: over the stack, to a websockets server on the kernel, plain and wss", carriers=("dpdk",))
def over_the_stack(carrier):
    carrier.stop()
    net = carrier.net_options()

    def at(command):
        return carrier.place(*command)

    for what, server, believing in python_servers():
        whole(run(carrier, server, "-c", "20", "--size", "0-900", *believing, *SHORT, *net, at=at), 20, what)
