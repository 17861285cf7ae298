"""Echo servers of other makes, each a program of its own that says "listening" on standard error: what `millrace-bench
load` and scripts/compare are run against."""

import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.join(HERE, "node")
BUN = os.path.join(NODE, "bun/node_modules/@oven/bun-linux-x64/bin/bun")


def echo_servers(program):
    """By name, the command that starts it, to which ADDRESS and PORT are added; None where it is not installed.
    `program`: where what the build made is, by its name."""
    bun = BUN if os.path.exists(BUN) else shutil.which("bun")

    def built(name):
        path = program(f"tests/interop/{name}")
        return [path] if os.path.exists(path) else None

    return {"libwebsockets": built("lws-server"),
            "Boost.Beast": built("beast-server"),
            "Node's ws": ["node", os.path.join(NODE, "echo-server.js")] if shutil.which("node") else None,
            "Bun (uWebSockets)": [bun, os.path.join(NODE, "bun-server.js")] if bun else None}


def bare(name, command, address, port):
    """The whole command of one that does nothing but echo."""
    return [*command, address, str(port), *(["bare"] if name == "Node's ws" else [])]
