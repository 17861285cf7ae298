"""Clients that break RFC 6455: the close code that comes back, and that the TCP connection ends."""

import struct

from carrier import PORT
from harness import case, equal, require
from raw import (BINARY, CLOSE, CONTINUATION, PING, TEXT, Ended, Raw, close_payload, frame)

PROTOCOL_ERROR, INVALID_PAYLOAD, TOO_BIG = 1002, 1007, 1009

CASES = {
    "5.1 an unmasked frame": (PROTOCOL_ERROR, frame(TEXT, b"hello", masked=False)),
    "5.1 an unmasked empty ping": (PROTOCOL_ERROR, frame(PING, masked=False)),
    "5.2 RSV1 without an extension": (PROTOCOL_ERROR, frame(TEXT, b"hello", rsv=4)),
    "5.2 RSV2": (PROTOCOL_ERROR, frame(TEXT, b"hello", rsv=2)),
    "5.2 RSV3": (PROTOCOL_ERROR, frame(BINARY, b"hello", rsv=1)),
    "5.2 RSV1 on a ping": (PROTOCOL_ERROR, frame(PING, b"hello", rsv=4)),
    **{f"5.2 reserved opcode {opcode}": (PROTOCOL_ERROR, frame(opcode, b"hello"))
       for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "5.2 length 125 in 16 bits": (PROTOCOL_ERROR, frame(BINARY, bytes(125), width=16)),
    "5.2 length 65535 in 64 bits": (PROTOCOL_ERROR, frame(BINARY, bytes(65535), width=64)),
    "5.2 a 64-bit length with its highest bit set": (PROTOCOL_ERROR, frame(BINARY, length=1 << 63 | 5)),
    "5.4 a continuation of nothing": (PROTOCOL_ERROR, frame(CONTINUATION, b"hello")),
    "5.4 a new message within a fragmented one":
        (PROTOCOL_ERROR, frame(TEXT, b"hel", fin=False) + frame(TEXT, b"lo")),
    "5.4 a first fragment of nothing": (PROTOCOL_ERROR, frame(CONTINUATION, b"hel", fin=False)),
    "5.5 a fragmented ping": (PROTOCOL_ERROR, frame(PING, b"hello", fin=False)),
    "5.5 a ping of 126 bytes": (PROTOCOL_ERROR, frame(PING, bytes(126))),
    "5.5 a close of 126 bytes": (PROTOCOL_ERROR, frame(CLOSE, close_payload(1000, b"x" * 124))),
    "5.5.1 a close of one byte": (PROTOCOL_ERROR, frame(CLOSE, b"\x03")),
    **{f"7.4 close code {code}": (PROTOCOL_ERROR, frame(CLOSE, close_payload(code)))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
    "7.1.6 a reason that is not UTF-8": (INVALID_PAYLOAD, frame(CLOSE, close_payload(1000, b"\xff"))),
    "8.1 text that is not UTF-8": (INVALID_PAYLOAD, frame(TEXT, b"hello \xff")),
    "8.1 an overlong form": (INVALID_PAYLOAD, frame(TEXT, b"\xc0\xaf")),
    "8.1 a surrogate": (INVALID_PAYLOAD, frame(TEXT, b"\xed\xa0\x80")),
    "8.1 beyond U+10FFFF": (INVALID_PAYLOAD, frame(TEXT, b"\xf4\x90\x80\x80")),
    "8.1 text that ends within a character": (INVALID_PAYLOAD, frame(TEXT, b"caf\xc3")),
    "8.1 bad text in the second fragment":
        (INVALID_PAYLOAD, frame(TEXT, b"caf\xc3", fin=False) + frame(CONTINUATION, b"x")),
    "8.1 bad text is noticed before the message ends": (INVALID_PAYLOAD, frame(TEXT, b"\xff", fin=False)),
    "10.4 a frame of a tebibyte": (TOO_BIG, frame(BINARY, b"hello", length=1 << 40)),
}


def closes_with(peer, code, what):
    """The next frame is a close with this code, and the connection ends."""
    try:
        opcode, payload = peer.frame()
    except Ended as ended:
        raise AssertionError(f"{what}: the connection {ended} without a close frame") from ended
    equal(opcode, CLOSE, f"{what}: opcode")
    equal(struct.unpack("!H", payload[:2])[0], code, f"{what}: close code")
    payload[2:].decode()  # the reason is UTF-8
    equal(peer.ended(), b"", f"{what}: after the close frame")


@case("violations: each has its close code, and the connection ends")
def violations(carrier):
    carrier.share()
    for what, (code, data) in CASES.items():
        with Raw(carrier.address, PORT).open() as peer:
            peer.send(frame(TEXT, b"in order"))
            equal(peer.frame(), (TEXT, b"in order"), f"{what}: echo before it")
            peer.send(data)
            closes_with(peer, code, what)


@case("violations: what follows a violation is not answered")
def after_violation(carrier):
    carrier.share()
    with Raw(carrier.address, PORT).open() as peer:
        peer.send(frame(TEXT, b"in order") + frame(TEXT, b"\xff") + frame(TEXT, b"too late") * 100)
        equal(peer.frame(), (TEXT, b"in order"), "echo before it")
        closes_with(peer, INVALID_PAYLOAD, "bad text")


@case("violations: --max-message bounds frames and fragmented messages")
def max_message(carrier):
    bound = 4096
    with carrier.serve("--max-message", "4KiB"):
        for what, data in {
                "one frame": frame(BINARY, bytes(bound + 1)),
                "two fragments": frame(BINARY, bytes(bound), fin=False) + frame(CONTINUATION, b"x"),
                "empty fragments do not hide it":
                    frame(BINARY, bytes(bound), fin=False) + frame(CONTINUATION, fin=False) * 10 +
                    frame(CONTINUATION, b"x", fin=False)}.items():
            with Raw(carrier.address, PORT).open() as peer:
                peer.send(frame(BINARY, bytes(bound)))
                equal(peer.frame(), (BINARY, bytes(bound)), f"{what}: at the bound")
                peer.send(data)
                closes_with(peer, TOO_BIG, what)


@case("violations: a connection cut within a frame harms nobody")
def cut_short(carrier):
    carrier.share()
    whole = frame(TEXT, b"x" * 300)
    with Raw(carrier.address, PORT).open() as other:
        for cut in (1, 2, 3, 7, 8, 9, len(whole) - 1):
            with Raw(carrier.address, PORT).open() as peer:
                peer.send(whole[:cut])
            other.send(whole)
            equal(other.frame(), (TEXT, b"x" * 300), f"another's echo after a cut at {cut}")
    require(carrier.share().running, "the server has died")
