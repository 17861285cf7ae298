"""Installs Millrace into an empty tree, builds outside programs against what is there, and talks to them.

    /usr/bin/python3 tests/install/install_test.py BUILD

The last line is "N passed, N failed". Each step needs the one before, so the first failure ends it."""

import asyncio
import glob
import os
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "interop"))

import websockets  # noqa: E402

from process import Process  # noqa: E402

PATIENCE = 60


def run(*arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def only(root, pattern):
    found = glob.glob(os.path.join(root, "**", pattern), recursive=True)
    if len(found) != 1:
        raise RuntimeError(f"{pattern} in the installed tree: {found}")
    return found[0]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Installed:
    """The steps, in order, and what each leaves for the next."""

    def __init__(self, build, root):
        self._build = build
        self._root = root
        self._echo = os.path.join(root, "echo")
        self._lines = os.path.join(root, "lines")

    def meson_install_fills_an_empty_tree(self):
        run("meson", "install", "--no-rebuild", "-C", self._build, "--destdir", self._root)
        for pattern in ("bin/millrace", "bin/millrace-bench", "pkgconfig/millrace.pc"):
            only(self._root, pattern)

    def the_installed_programs_run(self):
        for program in ("bin/millrace", "bin/millrace-bench"):
            run(only(self._root, program), "--help")

    def outside_programs_build_with_pkg_config(self):
        environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(only(self._root, "pkgconfig/millrace.pc")))
        flags = run("pkg-config", "--cflags", "--libs", "millrace", env=environment).split()
        if os.path.dirname(os.path.dirname(HERE)) in " ".join(flags):
            raise RuntimeError(f"the flags lead back to the sources: {flags}")
        # Away from the repository: nothing but the installed tree and the system can be found.
        # DPDK 22.11's own headers do what C++20 deprecates: arithmetic on volatile objects.
        for program in (self._echo, self._lines):
            source = os.path.join(HERE, os.path.basename(program) + ".cc")
            run("g++", "-std=gnu++20", "-O2", "-Wall", "-Werror", "-Wno-volatile", source, "-o", program, *flags, cwd=self._root)

    def the_server_echoes(self):
        url = f"ws://127.0.0.1:{free_port()}"

        async def talk():
            peer = await websockets.connect(url, max_size=None)
            for message in ("hello", "", "Grüße", b"", b"\x00\xff" * 1000, "x" * 100_000):
                await peer.send(message)
                got = await peer.recv()
                if got != message:
                    raise RuntimeError(f"sent {message[:40]!r}, got {got[:40]!r}")
            await peer.close()

        with Process([self._echo, "--listen", url]) as echo:
            echo.wait_for_line("millrace: listening on ws://", PATIENCE)
            asyncio.run(asyncio.wait_for(talk(), PATIENCE))
            echo.signal(signal.SIGTERM)
            status = echo.wait(PATIENCE)
            if status != 0:
                raise RuntimeError(f"SIGTERM ended it with status {status}\n{echo.said()}")

    def the_client_is_echoed(self):
        url = f"ws://127.0.0.1:{free_port()}"
        with Process([self._echo, "--listen", url]) as echo:
            echo.wait_for_line("millrace: listening on ws://", PATIENCE)
            said = run(self._lines, url + "/", timeout=PATIENCE)
            if said != "one\ntwo\nthree\n":
                raise RuntimeError(f"what came back: {said!r}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.reconfigure(line_buffering=True)
    passed = 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="millrace-test-") as root:
        steps = Installed(os.path.abspath(sys.argv[1]), root)
        for step in (steps.meson_install_fills_an_empty_tree, steps.the_installed_programs_run,
                     steps.outside_programs_build_with_pkg_config, steps.the_server_echoes, steps.the_client_is_echoed):
            title = "install: " + step.__name__.replace("_", " ")
            try:
                step()
            except Exception as error:
                failed += 1
                print(f"FAIL  {title}\n      {error}")
                break
            passed += 1
            print(f"ok    {title}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
