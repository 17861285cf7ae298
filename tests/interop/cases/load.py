"""`millrace-bench load`: every mode against Millrace and other makes, over both carriers, plain and wss; what it counts is
what happened."""

import asyncio
import contextlib
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

from carrier import PATIENCE
from echo_servers import bare, echo_servers
from harness import Skip, case, equal, require
from process import Process

from .client import SERVER_PORT, listening, python_servers
from .echo import HERE
from .tls import secure_server, url

BENCH = "bench/millrace-bench"
SHORT = ("-d", "300ms", "--warmup", "100ms")


def run(carrier, *arguments, at=list, limit=None):
    """Exit status, the result file, and standard error."""
    done = subprocess.run(at((carrier.program(BENCH), "load", *arguments, "--json", "-")), capture_output=True,
                          timeout=PATIENCE, check=False, preexec_fn=limit, stdin=subprocess.DEVNULL)
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
    because = [why for why in result["invalid_because"] if "lagged" not in why and "was not reached" not in why]
    equal(because, [], f"{what}: why invalid")
    equal(status, 3 if result["invalid_because"] else 0, f"{what}: exit status: {said}")
    return load


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
    opened, messages = map(int, re.search(r"opened (\d+) WebSockets and received (\d+) messages", server.said()).groups())
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
    """A websockets server that writes down who came and what was said, and says three things to each."""

    def __init__(self):
        self.peers, self.said = set(), []

    async def serve(self, peer):
        self.peers.add(peer.remote_address[0])
        self.said.append(await peer.recv())
        for _ in range(3):
            await peer.send("news")
        await peer.wait_closed()

    @contextlib.contextmanager
    def listening(self):
        loop = asyncio.new_event_loop()
        started, stop, port = threading.Event(), loop.create_future(), []

        async def run_server():
            async with websockets.serve(self.serve, "127.0.0.1", 0, ping_interval=None) as server:
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


@case("load: source addresses in turn, subscriptions with each connection's number", carriers=("uring",))
def subscriptions(carrier):
    listener = Listener()
    with listener.listening() as server, tempfile.NamedTemporaryFile("w", suffix=".json") as template:
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
