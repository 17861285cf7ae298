"""What the server says of itself: the page at / in Chromium, and /metrics for Prometheus."""

import asyncio
import concurrent.futures
import contextlib
import json
import re
import subprocess
import urllib.request

import websockets

from carrier import PATIENCE, SERVER
from harness import case, equal, require

from .peers import Browser

TOKEN = "a-token-for-publishers"
SAMPLE = re.compile(r'(millrace_[a-z0-9_]+)(?:\{shard="(\d+)"(?:,le="([^"]+)")?\}) (\d+)')
SUBSCRIBERS, MESSAGES = 5, 3000


async def with_subscribers(carrier, what):
    """Does it, in a thread of its own, while some subscribe to everything."""
    async with contextlib.AsyncExitStack() as stack:
        for at in range(SUBSCRIBERS):
            one = await stack.enter_async_context(websockets.connect(f"{carrier.url}/feed", compression=None, max_queue=None))
            await one.send(json.dumps({"op": "subscribe", "id": at, "topics": [">"]}))
            require(json.loads(await one.recv())["ok"], "not subscribed")
        await asyncio.to_thread(what)


def publish(carrier):
    done = subprocess.run([carrier.program(SERVER), "publish", f"{carrier.url}/publish", "--token", TOKEN, "--generate",
                           "--symbols", "10", "--rate", "1000", "--count", str(MESSAGES)], capture_output=True, text=True,
                          timeout=PATIENCE)
    equal(done.returncode, 0, done.stderr)


def metrics(carrier):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{carrier.origin}/metrics", timeout=PATIENCE) as answer:
        equal(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "type of /metrics")
        lines = answer.read().decode().splitlines()
    types, samples = {}, {}
    for line in lines:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            require(name not in types, f"{name} is there twice")
            types[name] = kind
            continue
        found = SAMPLE.fullmatch(line)
        require(found is not None, f"not a sample: {line!r}")
        name = re.sub("_(bucket|count)$", "", found[1]) if "fanout_subscribers" in found[1] else found[1]
        require(name in types, f"{found[1]} has no type before it")
        equal(name.endswith("_total"), types[name] == "counter", f"_total of {name}, a {types[name]}")
        samples[found[1], found[2], found[3]] = int(found[4])
    return samples


def total(samples, name):
    return sum(value for (which, _, _), value in samples.items() if which == name)


def number(text):
    value, _, unit = text.partition(" ")
    return float(value) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit]


def tile(name):
    return f'document.getElementById("{name}").textContent'


def watch(carrier, browser):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        publishing = pool.submit(publish, carrier)
        browser.await_value(tile("deliveries"), lambda text: number(text) > 100, "deliveries a second")
        publishing.result()
    browser.await_value(tile("open"), lambda text: text == str(SUBSCRIBERS + 1), "connections")
    browser.await_value(tile("breadth"), lambda text: text.startswith("4 – 7"), "fan-out")
    browser.await_value(tile("deliveries"), lambda text: text == "0", "deliveries when nothing is published any more")
    equal(browser.value('performance.getEntriesByType("resource").map(({name}) => name)'), [], "what the page fetched")
    equal(browser.complaints(), [], "the browser's console")


@case("status: the page moves in Chromium without a complaint, and /metrics counts what was done")
def page(carrier):
    with Browser() as browser, carrier.serve("--publish-token", TOKEN):
        browser.visit(f"http://{carrier.origin}/")
        browser.await_value(tile("open"), lambda text: text == "1", "connections: the page's own")
        before = metrics(carrier)
        asyncio.run(with_subscribers(carrier, lambda: watch(carrier, browser)))
        after = metrics(carrier)
        equal(total(after, "millrace_fanout_published_total"), MESSAGES, "published")
        equal(total(after, "millrace_fanout_deliveries_total"), MESSAGES * SUBSCRIBERS, "deliveries")
        equal(total(after, "millrace_fanout_subscribers_count"), MESSAGES, "messages with subscribers")
        fallen = [name for name in before if name[0].endswith("_total") and after[name] < before[name]]
        equal(fallen, [], "counters that fell")
