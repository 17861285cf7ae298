"""Fan-out to clients of other makes: the recording, published as fast as it is taken, to python3-websockets and Node's ws
over the stream dialect of exchanges and over JSON; each receives exactly its topics, in order, byte for byte."""

import asyncio
import hashlib
import json
import os
import re
import subprocess

import websockets

from carrier import PATIENCE, SERVER
from harness import case, equal, require

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOKEN = "a-token-for-publishers"
BOOK, DEPTH, TRADE = "ethusdt@bookTicker", "ethusdt@depth@100ms", "ethusdt@trade"
STREAM = re.compile(r'\{"stream":"([^"]*)","data":(.*)\}', re.S)
JSON_DIALECT = re.compile(r'\{"topic":"([^"]*)","epoch":(\d+),"seq":(\d+),"time":\d+,"data":(.*)\}', re.S)


class Subscriber:
    """Where it connects, what it says first, and what it has to receive of (topic, data)."""

    def __init__(self, url, topics, form, request=None):
        self.url, self.topics, self.form, self.request = url, topics, form, request

    def expected(self, published):
        return [self.form(topic, data) for topic, data in published if topic in self.topics]


def raw(_, data):
    return data


def combined(topic, data):
    return f'{{"stream":"{topic}","data":{data}}}'


def named(topic, data):
    return f"{topic} {data}"


def subscribers(carrier):
    everything = (BOOK, DEPTH, TRADE)
    ask = {"method": "SUBSCRIBE", "params": [TRADE, DEPTH], "id": 1}
    return [
        Subscriber(f"{carrier.url}/ws/{BOOK}", (BOOK,), raw),
        Subscriber(f"{carrier.url}/ws/ethusdt%40depth%40100ms", (DEPTH,), raw),
        Subscriber(f"{carrier.url}/ws", (TRADE, DEPTH), raw, json.dumps(ask)),
        Subscriber(f"{carrier.url}/stream?streams={BOOK}/{TRADE}", (BOOK, TRADE), combined),
        Subscriber(f"{carrier.url}/feed", everything, named, json.dumps({"op": "subscribe", "id": 1, "topics": [">"]})),
        Subscriber(f"{carrier.url}/feed", (DEPTH,), named, json.dumps({"op": "subscribe", "id": 2, "topics": [DEPTH]})),
    ]


def plain(text, last):
    """What a message of the JSON dialect says; its topic counts without gaps, in one epoch."""
    found = JSON_DIALECT.fullmatch(text)
    if not found:
        return text
    topic, epoch, sequence, data = found.groups()
    before = last.get(topic, (epoch, 0))
    equal((epoch, int(sequence)), (before[0], before[1] + 1), f"place of a message of {topic}")
    last[topic] = (epoch, int(sequence))
    return named(topic, data)


async def subscribe(subscriber):
    socket = await websockets.connect(subscriber.url, max_size=None, compression=None)
    if subscriber.request:
        await socket.send(subscriber.request)
        answer = json.loads(await socket.recv())
        require(answer.get("ok") or ("result" in answer and answer["result"] is None), f"an answer: {answer}")
        equal(answer["id"], json.loads(subscriber.request)["id"], "the answer's id")
    return socket


async def receive(socket, count):
    last = {}
    heard = [plain(await socket.recv(), last) for _ in range(count)]
    await asyncio.wait_for(await socket.ping(), PATIENCE)  # what came before it would be in the queue
    require(not socket.messages, f"more than was published: {len(socket.messages)}")
    await socket.close()
    return heard


async def to_python(carrier, recording, published):
    wanted = [(each, each.expected(published)) for each in subscribers(carrier)]
    sockets = [await subscribe(each) for each, _ in wanted]
    publisher, *heard = await asyncio.gather(
        asyncio.to_thread(publish, carrier, recording),
        *(receive(socket, len(expected)) for socket, (_, expected) in zip(sockets, wanted)))
    check_published(publisher, len(published))
    for (each, expected), got in zip(wanted, heard):
        require(got == expected, f"{each.url} {each.request}: something else than was published")


def publish(carrier, recording):
    return subprocess.run([carrier.program(SERVER), "publish", f"{carrier.url}/publish", "--token", TOKEN, "--replay",
                           recording.path, "--speed", "max"], capture_output=True, text=True, timeout=4 * PATIENCE,
                          check=False)


def check_published(done, count):
    equal(done.returncode, 0, f"exit status of millrace publish: {done.stderr}")
    require(f"published {count} messages" in done.stderr and "0 refused, 0 not acknowledged" in done.stderr, done.stderr)


def digest(lines):
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def pairs(recording):
    return [found.groups() for found in map(STREAM.fullmatch, recording.messages) if found]


@case("feed: the recording reaches python3-websockets over four dialects, exactly")
def python_websockets(carrier, recording):
    with carrier.serve("--publish-token", TOKEN):
        asyncio.run(to_python(carrier, recording, pairs(recording)))


@case("feed: the recording reaches Node's ws and millrace subscribe, exactly")
def node_ws(carrier, recording):
    published = pairs(recording)
    wanted = [(each, each.expected(published)) for each in subscribers(carrier) * 4]
    asked = json.dumps([{"url": each.url, "request": each.request, "count": len(expected)} for each, expected in wanted])
    # Whenever it gets there, millrace subscribe resumes from the first message.
    ours = [carrier.program(SERVER), "subscribe", f"{carrier.url}/feed", "*", "--from", "1", "--count", str(len(published))]
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with carrier.serve("--publish-token", TOKEN), \
            subprocess.Popen(["node", os.path.join(HERE, "node/feed.js"), asked], **pipes) as node, \
            subprocess.Popen(ours, **pipes) as ours:
        try:
            equal(node.stderr.readline(), "subscribed\n", "Node's ws")
            check_published(publish(carrier, recording), len(published))
            out, said = ours.communicate(timeout=PATIENCE)
            equal(ours.returncode, 0, f"exit status of millrace subscribe: {said}")
            require(out.splitlines() == [named(*each) for each in published], "millrace subscribe: something else")
            out, said = node.communicate(timeout=4 * PATIENCE)
            equal((node.returncode, said), (0, ""), "Node's ws")
            equal(out.splitlines(), [digest(expected) for _, expected in wanted], "what Node's ws received")
        finally:
            node.kill()
            ours.kill()
