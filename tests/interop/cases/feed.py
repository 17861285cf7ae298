"""Fan-out to clients of other makes: the recording, as fast as it is taken or at ten times its pace, to python3-websockets,
Node's ws and Chromium, over the stream dialect of exchanges and over JSON; each receives exactly its topics, in order, byte for
byte. And a feed of ITCH 5.0 over multicast."""

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse

import websockets

from carrier import PATIENCE, SERVER
from harness import case, equal, require

from .peers import Browser

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


async def to_python(published, wanted, publish_all):
    sockets = [await subscribe(each) for each, _ in wanted]
    publisher, *heard = await asyncio.gather(
        asyncio.to_thread(publish_all),
        *(receive(socket, len(expected)) for socket, (_, expected) in zip(sockets, wanted)))
    check_published(publisher, len(published))
    for (each, expected), got in zip(wanted, heard):
        require(got == expected, f"{each.url} {each.request}: something else than was published")


def publish(carrier, path, speed="max"):
    return subprocess.run([carrier.program(SERVER), "publish", f"{carrier.url}/publish", "--token", TOKEN, "--replay",
                           path, "--speed", speed], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)


def check_published(done, count):
    equal(done.returncode, 0, f"exit status of millrace publish: {done.stderr}")
    require(f"published {count} messages" in done.stderr and "0 refused, 0 not acknowledged" in done.stderr, done.stderr)


def digest(lines):
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def pairs(messages):
    return [found.groups() for found in map(STREAM.fullmatch, messages) if found]


def all_of(wanted, published):
    return [(each, each.expected(published)) for each in wanted]


def asked_of_node(wanted):
    return json.dumps([{"url": each.url, "request": each.request, "count": len(expected)} for each, expected in wanted])


@case("feed: the recording reaches python3-websockets over four dialects, exactly")
def python_websockets(carrier, recording):
    published = pairs(recording.messages)
    with carrier.serve("--publish-token", TOKEN):
        asyncio.run(to_python(published, all_of(subscribers(carrier), published), lambda: publish(carrier, recording.path)))


@case("feed: the recording reaches Node's ws and millrace subscribe, exactly")
def node_ws(carrier, recording):
    published = pairs(recording.messages)
    wanted = all_of(subscribers(carrier) * 4, published)
    # Whenever it gets there, millrace subscribe resumes from the first message.
    ours = [carrier.program(SERVER), "subscribe", f"{carrier.url}/feed", "*", "--from", "1", "--count", str(len(published))]
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with carrier.serve("--publish-token", TOKEN), \
            subprocess.Popen(["node", os.path.join(HERE, "node/feed.js"), asked_of_node(wanted)], **pipes) as node, \
            subprocess.Popen(ours, **pipes) as ours:
        try:
            equal(node.stderr.readline(), "subscribed\n", "Node's ws")
            check_published(publish(carrier, recording.path), len(published))
            out, said = ours.communicate(timeout=PATIENCE)
            equal(ours.returncode, 0, f"exit status of millrace subscribe: {said}")
            require(out.splitlines() == [named(*each) for each in published], "millrace subscribe: something else")
            out, said = node.communicate(timeout=4 * PATIENCE)
            equal((node.returncode, said), (0, ""), "Node's ws")
            equal(out.splitlines(), [digest(expected) for _, expected in wanted], "what Node's ws received")
        finally:
            node.kill()
            ours.kill()


@contextlib.contextmanager
def beginning(recording, seconds):
    """A file with so much of the recording, and its messages."""
    with gzip.open(recording.path, "rt") as lines, tempfile.NamedTemporaryFile("w", prefix="millrace-test-") as out:
        messages, first = [], None
        for line in lines:
            at, message = line.rstrip("\n").split(" ", 1)
            first = first or int(at)
            if int(at) - first > seconds * 1_000_000_000:
                break
            out.write(line)
            messages.append(message)
        out.flush()
        yield out.name, pairs(messages)


@case("feed: at ten times its pace the recording reaches 200 clients of two makes and a page in Chromium, exactly",
      carriers=("dpdk",))
def many_makes(carrier, recording):
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Browser() as browser, beginning(recording, 20) as (path, published), \
            carrier.serve("--publish-token", TOKEN, "--www", os.path.join(HERE, "web")):
        kinds = subscribers(carrier)
        wanted = all_of((kinds * 34)[:200], published)
        for_node, for_python, in_browser = wanted[:100], wanted[100:], all_of(kinds, published)
        asked = [{"path": each.url.removeprefix(carrier.url), "request": each.request, "count": len(expected)}
                 for each, expected in in_browser]
        browser.visit(f"http://{carrier.origin}/feed.html#{urllib.parse.quote(json.dumps(asked))}")
        equal(browser.state("subscribed", "failed"), "subscribed", "the page")
        with subprocess.Popen(["node", os.path.join(HERE, "node/feed.js"), asked_of_node(for_node)], **pipes) as node:
            try:
                equal(node.stderr.readline(), "subscribed\n", "Node's ws")
                asyncio.run(to_python(published, for_python, lambda: publish(carrier, path, "10")))
                out, said = node.communicate(timeout=4 * PATIENCE)
            finally:
                node.kill()
        equal((node.returncode, said), (0, ""), "Node's ws")
        equal(out.splitlines(), [digest(expected) for _, expected in for_node], "what Node's ws received")
        equal(browser.state("done", "failed"), "done", "the page")
        for (each, expected), heard in zip(in_browser, browser.value("heard")):
            last = {}
            require([plain(text, last) for text in heard] == expected, f"the page: {each.url}: something else than was published")


class MoldServer:
    """A MoldUDP64 session of ITCH 5.0 on loopback, of whose packets one in four is lost; what is asked for is sent again."""

    SESSION, PER_PACKET = b"INTEROP001", 7
    GROUP = ("239.255.1.36", 26477)

    def __init__(self):
        stocks = [f"S{n:<7}".encode() for n in range(1, 6)]
        self.messages = [self.message(b"S", 0, b"O")]
        self.messages += [self.message(b"R", 1 + at, stock + bytes(20)) for at, stock in enumerate(stocks)]
        self.messages += [self.message(b"D", 1 + n % 5, n.to_bytes(8, "big")) for n in range(2000)]
        self.requests = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.requests.bind(("127.0.0.1", 0))
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        self.answering = threading.Thread(target=self.answer)
        self.over = False

    @staticmethod
    def message(kind, locate, rest):
        return kind + struct.pack(">HH", locate, 0) + bytes(6) + rest

    @property
    def url(self):
        group, port = self.GROUP
        return f"mold://{group}:{port}?interface=127.0.0.1&from=1&request=127.0.0.1:{self.requests.getsockname()[1]}"

    def packet(self, first, count):
        """`first` counts from 1."""
        parts = self.messages[first - 1:first - 1 + count]
        return self.SESSION + struct.pack(">QH", first, len(parts)) + b"".join(
            struct.pack(">H", len(part)) + part for part in parts)

    def answer(self):
        while not self.over:
            asked, source = self.requests.recvfrom(100)
            if asked[:10] == self.SESSION:
                first, count = struct.unpack(">QH", asked[10:20])
                self.requests.sendto(self.packet(first, min(count, self.PER_PACKET)), source)

    def run(self, ended):
        """Until the receiver has, which it does at the session's end."""
        self.answering.start()
        end = self.SESSION + struct.pack(">QH", len(self.messages) + 1, 0xFFFF)
        for at, first in enumerate(range(1, len(self.messages) + 1, self.PER_PACKET)):
            if at % 4 != 2:
                self.sender.sendto(self.packet(first, self.PER_PACKET), self.GROUP)
        while not ended():
            self.sender.sendto(end, self.GROUP)
            time.sleep(0.05)

    def close(self):
        self.over = True
        self.sender.sendto(b"", self.requests.getsockname())  # it is waiting for a request
        if self.answering.ident is not None:
            self.answering.join()
        self.requests.close()
        self.sender.close()


async def heard_of(url, count, publish_all):
    socket_ = await websockets.connect(url, max_size=None, compression=None)
    _, heard = await asyncio.gather(asyncio.to_thread(publish_all), receive_bytes(socket_, count))
    await socket_.close()
    return heard


async def receive_bytes(socket_, count):
    return [await socket_.recv() for _ in range(count)]


@case("feed: ITCH 5.0 over MoldUDP64 reaches a subscriber whole, though packets are lost")
def itch(carrier, _):
    with carrier.serve("--publish-token", TOKEN), contextlib.closing(MoldServer()) as server:
        said = []

        def publish_all():
            arguments = [carrier.program(SERVER), "publish", f"{carrier.url}/publish", "--token", TOKEN, "--mold", server.url]
            with subprocess.Popen(arguments, text=True, stderr=subprocess.PIPE) as publisher:
                server.run(lambda: publisher.poll() is not None)
                said.extend((publisher.returncode, publisher.stderr.read()))

        heard = asyncio.run(heard_of(f"{carrier.url}/ws/itch.%3E", len(server.messages), publish_all))
        equal(said[0], 0, f"exit status of millrace publish: {said[1]}")
        require(heard == server.messages, "a subscriber received something else than was sent")


@case("feed: a server that reads ITCH 5.0 over MoldUDP64 itself hands on all of it, though packets are lost", carriers=("uring",))
def itch_source(carrier, _):
    with contextlib.closing(MoldServer()) as feed, carrier.serve("--source", feed.url) as server:
        def ended():
            return any(line.startswith("millrace: the source has ended") for line in server.lines)

        heard = asyncio.run(heard_of(f"{carrier.url}/ws/itch.%3E", len(feed.messages), lambda: feed.run(ended)))
        require(heard == feed.messages, "a subscriber received something else than was sent")
        equal(next(line for line in server.lines if "source" in line),
              f"millrace: the source has ended: {len(feed.messages)} messages, 0 passed over, 0 lost on their way here", "the end")
        equal(asyncio.run(resumed(f"{carrier.url}/feed", len(feed.messages))), feed.messages, "what a late subscriber resumes")


async def resumed(url, count):
    """All messages from the first on, which the log has in the order in which they came."""
    async with websockets.connect(url, max_size=None, compression=None) as socket_:
        await socket_.send(json.dumps({"op": "subscribe", "id": 1, "topics": ["itch.>"], "from": {"seq": 1}}))
        require(json.loads(await socket_.recv())["ok"], "not subscribed")
        said = [json.loads(await socket_.recv()) for _ in range(count)]
        return [base64.b64decode(one["base64"]) for one in said]
