"""`millrace-bench latency`: its figures against servers whose latency is known, and what it says of itself."""

import time

from harness import case, equal, require

from .load import python_server_of, run, whole_but_late
from .tls import secure_server, url

SHORT = ("-d", "500ms", "--warmup", "100ms")


def measured(result, what):
    """The latency stage of a run in which nothing was lost."""
    status, result, said = result
    require(result, f"{what}: no result: {said}")
    latency = result["stages"]["latency"]
    for key in ("lost", "corrupted", "closed", "unsent"):
        equal(latency[key], 0, f"{what}: {key}: {said}")
    whole_but_late(status, result, said, what)
    require(result["clock"]["tsc_invariant"] in (True, False) and abs(result["clock"]["drift_ppm"]) < 1e4,
            f"{what}: the clock: {result['clock']}")
    return latency


def values(histogram):
    """Every value, as its bucket has it."""
    return [end for end, count in histogram["buckets"] for _ in range(count)]


@case("latency: open loop, constant and poisson, and ping-pong; every answer verified")
def modes(carrier):
    carrier.share()
    latency = measured(run(carrier, carrier.echo, "-r", "500", "-c", "5", *SHORT, command="latency"), "constant")
    equal((latency["mode"], latency["sent"]), ("open loop, constant", 300), "what was due in 0.6 s")
    histograms = latency["histograms"]
    equal(len(values(histograms["rtt"])), 250, "messages that count")
    equal(sum(len(values(part)) for part in histograms["rtt_parts"]), 250, "by parts")
    equal(sum(cell[2] for cell in histograms["heat_map"]["cells"]), 250, "over the time")
    require(latency["service_ns"]["p50"] <= latency["rtt_ns"]["p50"], f"corrected and not: {latency}")
    require(0 <= latency["cores"][0]["idle"] <= 1, f"idle: {latency['cores']}")
    latency = measured(run(carrier, carrier.echo, "-r", "500", "--schedule", "poisson", *SHORT, command="latency"), "poisson")
    require(200 < latency["sent"] < 400 and latency["sent"] != 300, f"some 300: {latency['sent']}")
    latency = measured(run(carrier, carrier.echo, "--ping-pong", *SHORT, command="latency"), "ping-pong")
    equal((latency["mode"], latency["requested_per_s"]), ("ping-pong", 0), "the mode")
    equal(latency["rtt_ns"], latency["service_ns"], "nothing is corrected in a closed loop")


@case("latency: over wss", carriers=("uring",))
def secure(carrier):
    with secure_server(carrier) as (_, certificates):
        measured(run(carrier, url(carrier), "--ca", certificates.ca, "-r", "200", *SHORT, command="latency"), "wss")


@case("latency: a server that sleeps 100 ms once is charged for all that waited", carriers=("uring",))
def stall(carrier):
    asleep = []

    async def echo_but_once(socket):
        async for message in socket:
            if len(asleep) == 0 and int.from_bytes(message[:4], "little") == 300:
                asleep.append(True)
                time.sleep(0.1)
            await socket.send(message)

    with python_server_of(echo_but_once) as server:
        latency = measured(run(carrier, server, "-r", "500", "-d", "1s", "--warmup", "200ms", command="latency"), "a stall")
    equal(asleep, [True], "it slept")
    # Fifty were due meanwhile: 100 ms, 98 ms, 96 ms ... of waiting. A busy machine adds to that, and takes nothing away.
    slow = sorted(values(latency["histograms"]["rtt"]), reverse=True)
    for place, least in ((0, 99e6), (10, 79e6), (25, 49e6), (40, 19e6)):
        require(slow[place] >= least, f"the {place}th slowest: {slow[:50]}")
