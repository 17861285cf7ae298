"""A client of bare sockets: requests as they are written, frames as the test wants them, right or wrong."""

import os
import socket
import struct

PATIENCE = 30
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Ended(Exception):
    """The peer has closed or reset the connection."""


class Raw:
    def __init__(self, address, port, source=None, patience=PATIENCE):
        self.socket = socket.create_connection((address, port), patience, source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as reset:
            raise Ended("reset") from reset
        if not data:
            raise Ended("closed")
        self._held += data

    def read(self, size):
        while len(self._held) < size:
            self._more()
        data, self._held = self._held[:size], self._held[size:]
        return data

    def read_until(self, mark):
        while mark not in self._held:
            self._more()
        data, _, self._held = self._held.partition(mark)
        return data + mark

    def ended(self):
        """Waits for the end of the connection; what came before it."""
        try:
            while True:
                self._more()
        except Ended:
            held, self._held = self._held, b""
            return held

    # HTTP

    def response(self, head=False):
        """The next response: status, headers (names in lower case), body."""
        lines = self.read_until(b"\r\n\r\n").decode("ascii").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        if version != "HTTP/1.1":
            raise ValueError(f"status line {lines[0]!r}")
        headers = {}
        for line in lines[1:-2]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        status = int(status)
        has_body = not head and status >= 200 and status not in (204, 304)
        return status, headers, self.read(int(headers["content-length"])) if has_body else b""

    # WebSocket

    def open(self, path="/echo", then=b""):
        """Upgrades; `then` goes out in the same segment as the request."""
        self.send(upgrade_request(self.socket.getpeername(), path) + then)
        status, _, _ = self.response()
        if status != 101:
            raise ValueError(f"upgrade answered with {status}")
        return self

    def frame(self):
        """The next frame, which must be unmasked and whole: opcode, payload."""
        first, second = self.read(2)
        if first & 0xF0 != 0x80 or second & 0x80:
            raise ValueError(f"frame header {first:#x} {second:#x}")
        length = second
        if length == 126:
            length, = struct.unpack("!H", self.read(2))
        elif length == 127:
            length, = struct.unpack("!Q", self.read(8))
        return first & 0x0F, self.read(length)


def upgrade_request(peer, path="/echo", **changes):
    """An upgrade; `changes` sets headers (`_` for `-`), None leaves one out."""
    headers = {"Host": f"{peer[0]}:{peer[1]}", "Upgrade": "websocket", "Connection": "Upgrade",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    headers.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def mask(data, key):
    if not data:
        return data
    keys = (key * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(keys, "big")).to_bytes(len(data), "big")


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, length=None, width=None):
    """A frame. `length` claims another length than the payload's, `width` writes it in 7, 16 or 64 bits."""
    length = len(payload) if length is None else length
    width = width or (7 if length < 126 else 16 if length < 65536 else 64)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = masked << 7
    if width == 7:
        head += bytes([bit | length])
    elif width == 16:
        head += struct.pack("!BH", bit | 126, length)
    else:
        head += struct.pack("!BQ", bit | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask(payload, key)


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + reason
