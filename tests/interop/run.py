"""Millrace against the kernel's TCP and against real WebSocket peers.

    /usr/bin/python3 tests/interop/run.py BUILD [WORD...]      all tests, or those whose line holds every word

Prints a line a test; the last line is "N passed, N failed[, N skipped]". The packet carriers need network namespaces:
root, or user namespaces that an ordinary user may make."""

import contextlib
import logging
import os
import resource
import signal
import subprocess
import sys
import time
import traceback

from carrier import Carrier, probe_xdp
from harness import CARRIERS, CASES, Failure, Skip
from network import Network
from recording import Recording
from transfer import FULL

import cases  # noqa: F401  registers them

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# A guard against hanging, not a measure: no test takes a tenth of it, but for those that were asked for.
TEST_SECONDS = 3600 if FULL else 300
# Enough for the thousands of connections of a test; an ordinary user starts with 1,024.
DESCRIPTORS = 8192
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
INSIDE = "MILLRACE_TEST_INSIDE"


def enter_user_namespace():
    """An ordinary user becomes root of namespaces of his own, where the system lets him."""
    if os.geteuid() == 0 or INSIDE in os.environ:
        return
    if subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", sys.executable,
                               *sys.argv])


def on_alarm(*_):
    raise Failure(f"not done after {TEST_SECONDS} s")


def on_terminate(*_):
    sys.exit(1)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def run(self, function, title, carrier, recording):
        started = time.monotonic()
        signal.alarm(TEST_SECONDS)
        try:
            function(carrier, recording) if function.__code__.co_argcount == 2 else function(carrier)
            carrier.check_alive()
        except Skip as reason:
            self.skip(title, reason)
        except Exception as error:
            self.failed += 1
            print(f"FAIL  {title}")
            if isinstance(error, Failure):
                print(f"      {error}")
            else:
                print("".join(f"      {line}" for line in traceback.format_exc().splitlines(True)))
            for line in carrier.said().splitlines():
                print(f"      server: {line}")
        else:
            self.passed += 1
            print(f"ok    {title} ({time.monotonic() - started:.1f} s)")
        finally:
            signal.alarm(0)

    def skip(self, title, reason):
        self.skipped += 1
        print(f"skip  {title}: {reason}")

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    enter_user_namespace()
    sys.stdout.reconfigure(line_buffering=True)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed, DESCRIPTORS), allowed))
    logging.disable()  # asyncio's words on tasks that a failed test left behind
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, on_terminate)
    build, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    tally = Tally()
    with contextlib.ExitStack() as stack:
        recording = Recording(REPOSITORY)
        stack.callback(recording.close)
        print(f"      {recording}")
        network = stack.enter_context(Network()) if os.geteuid() == 0 else None
        for name in CARRIERS:
            wanted = [(function, f"{name:6}{title}") for function, title, carriers in CASES
                      if name in carriers and all(word in f"{name} {title}" for word in words)]
            if wanted:
                run_carrier(Carrier(name, build, network), wanted, recording, tally)
    print(tally)
    sys.exit(tally.failed != 0)


def run_carrier(carrier, wanted, recording, tally):
    try:
        if carrier.network is None and not carrier.kernel:
            raise Skip("needs root, or user namespaces open to ordinary users")
        if carrier.name == "xdp":
            probe_xdp(carrier)
    except Skip as reason:
        for _, title in wanted:
            tally.skip(title, reason)
        return
    for function, title in wanted:
        tally.run(function, title, carrier, recording)
    tally.run(lambda carrier: carrier.stop(), f"{carrier.name:6}the server that all shared ends in order", carrier,
              recording)


if __name__ == "__main__":
    main()
