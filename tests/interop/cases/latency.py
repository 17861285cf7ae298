"""`millrace-bench latency`: its figures against servers whose latency is known, and what it says of itself."""

import json
import os
import subprocess
import tempfile
import time

from carrier import PATIENCE
from harness import case, equal, require

from .echo import HERE
from .load import BENCH, python_server_of, run, whole_but_late
from .peers import Browser
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


def write(carrier, directory, *arguments):
    """A run's files by their kind, and the result."""
    files = {kind: os.path.join(directory, "run." + kind) for kind in ("hgrm", "hlog", "csv", "html")}
    status, result, said = run(carrier, carrier.echo, *arguments, *SHORT, *(word for kind, path in files.items()
                                                                            for word in ("--" + kind, path)), command="latency")
    require(status in (0, 3) and result, f"no result: {said}")
    return files, result


@case("latency: HdrHistogram's log is read by npm's hdr-histogram-js, and says what the result says", carriers=("uring",))
def exports(carrier):
    carrier.share()
    with tempfile.TemporaryDirectory() as directory:
        files, result = write(carrier, directory, "-r", "500")
        read = subprocess.run(["node", os.path.join(HERE, "node/hdr.js"), files["hlog"]], capture_output=True, text=True,
                              timeout=PATIENCE, check=True)
        histograms = [json.loads(line) for line in read.stdout.splitlines()]
        with open(files["hgrm"], encoding="utf-8") as file:
            require("Total count    =          250]" in file.read(), "the percentiles' last lines")
        with open(files["csv"], encoding="utf-8") as file:
            rows = [line.split(",") for line in file.read().splitlines()[1:]]
    latency = result["stages"]["latency"]
    parts = [one for one in histograms if one["tag"] == "NO TAG"]
    equal(sum(one["count"] for one in parts), 250, f"messages in all parts: {histograms}")
    for tag in ("service", "send_lag"):
        [one] = [one for one in histograms if one["tag"] == tag]
        whole = latency["histograms"][tag]
        equal(one["count"], sum(count for _, count in whole["buckets"]), f"{tag}: messages")
        equal(one["max"], whole["buckets"][-1][0], f"{tag}: the last bucket")
        require(one["p50"] >= latency[f"{tag}_ns"]["p50"] > one["p50"] * 0.998, f"{tag}: {one} and {latency[f'{tag}_ns']}")
        equal(sum(int(row[2]) for row in rows if row[0] == tag), one["count"], f"{tag}: messages in the table")


OVERLAPS = """(() => { let n = 0; for (const svg of document.querySelectorAll('svg')) {
    const boxes = [...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect());
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
        if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) n++; })); } return n; })()"""


@case("latency: two servers in turns, compared; the page stands alone, and its text does not overlap", carriers=("uring",))
def report(carrier):
    carrier.share()
    with tempfile.TemporaryDirectory() as directory:
        files, result = write(carrier, directory, "-r", "500", "--repeat", "2", "--vs", carrier.echo + "?b")
        equal([one["stages"]["latency"]["url"].endswith("?b") for one in result["runs"]], [False, True, False, True], "in turns")
        saved = os.path.join(directory, "run.json")
        with open(saved, "w", encoding="utf-8") as file:
            json.dump(result, file)
        again = os.path.join(directory, "again.html")
        said = subprocess.run([carrier.program(BENCH), "report", saved, "--html", again], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        require(said.returncode in (0, 3) and "p50" in said.stdout, f"the report of the file: {said}")
        with open(files["html"], encoding="utf-8") as one, open(again, encoding="utf-8") as other:
            equal(one.read() == other.read(), True, "the page made later is the page made at once")
        with Browser() as browser:
            browser.visit("file://" + again)
            equal(browser.value("document.querySelectorAll('svg').length"), 4, "charts")
            equal(browser.value("performance.getEntriesByType('resource').length"), 0, "what it fetched")
            for width in (1280, 390):
                browser.value(f"document.body.style.maxWidth = '{width}px'")
                browser.value(f"document.body.style.width = '{width}px'")
                equal(browser.value(OVERLAPS), 0, f"texts that overlap at {width} px")
                equal(browser.value("[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().right > "
                                    "document.body.getBoundingClientRect().right).length"), 0, f"charts too wide for {width} px")
