"""`millrace-bench-mpi`: the ranks of one run under OpenMPI are one load, and a rank that is lost ends no other."""

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time

from carrier import PATIENCE
from harness import Skip, case, equal, require
from process import Process

from .load import children, read, served

RANKS = 4


@contextlib.contextmanager
def mpirun(carrier, *arguments, options=()):
    """Four ranks, and where their result will be."""
    program = carrier.program("bench/millrace-bench-mpi")
    if not os.path.exists(program) or not shutil.which("mpirun"):
        raise Skip("OpenMPI is not installed, or was not when this was built (scripts/setup)")
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        with Process(["mpirun", "--allow-run-as-root", "--oversubscribe", *options, "-n", str(RANKS), program, "load",
                      carrier.echo, "--json", out.name, *arguments]) as run:
            yield run, out.name


def rank_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        found = [word for word in file.read().split(b"\0") if word.startswith(b"OMPI_COMM_WORLD_RANK=")]
    return int(found[0].partition(b"=")[2]) if found else None


def started(run):
    """By rank, the process that mpirun started and the one in it that works; when all are at work."""
    for _ in range(PATIENCE * 20):
        ranks = {rank_of(pid): (pid, children(pid)) for pid in children(run.pid)}
        if len(ranks) == RANKS and all(len(workers) == 1 for _, workers in ranks.values()):
            return {rank: (pid, workers[0]) for rank, (pid, workers) in ranks.items()}
        time.sleep(0.05)
    raise RuntimeError(f"the ranks did not start:\n{run.said()}")


@case("ranks: four under OpenMPI are one load, and one result", carriers=("uring",))
def four(carrier):
    with carrier.serve() as server:
        with mpirun(carrier, "-c", "42", "-R", "1k", "--src-ip", "127.0.0.5-127.0.0.12", "-d", "1s", "--warmup",
                    "200ms") as (run, out):
            status = run.wait(PATIENCE)
            result = read(out)
        server.signal(signal.SIGTERM)
        equal(server.wait(PATIENCE), 0, "the server's exit status")
    because = [why for why in result["invalid_because"] if "lagged" not in why and "was not reached" not in why]
    equal((status, because), (3 if result["invalid_because"] else 0, []), "exit status, and why invalid")
    equal((result["processes"]["count"], result["processes"]["lost"]), (RANKS, []), "ranks")
    load = result["stages"]["load"]
    equal((load["connections"], load["sent"], load["lost"]), (42, 1200, 0), "what was due in 1.2 s, and came")
    equal(served(server.said()), [(42, 1200)], "what the server counted")


def lost(carrier, victim, *options, by=signal.SIGKILL, why="it ended"):
    """Exit status and result of a run that lost rank 2."""
    carrier.share()
    with mpirun(carrier, "-c", "40", "-d", "5s", "--warmup", "0", options=options) as (run, out):
        ranks = started(run)
        time.sleep(2)
        os.kill(ranks[2][victim], by)
        status = run.wait(PATIENCE)
        require(os.path.getsize(out), f"no result, status {status}:\n{run.said()}")
        result = read(out)
    equal(result["processes"]["lost"], [f"rank 2 of 4: {why}"], f"who was lost: {json.dumps(result['invalid_because'])}")
    require(any("rank 2 of 4" in why for why in result["invalid_because"]), f"why: {result['invalid_because']}")
    load = result["stages"]["load"]
    equal((load["connections"], load["lost"], load["corrupted"]), (30, 0, 0), "the others'")
    require(load["messages"] > 0, "messages of the others")
    return status


@case("ranks: one that is killed in the run is named, and the others go on", carriers=("uring",))
def killed(carrier):
    equal(lost(carrier, 1), 3, "exit status of mpirun: rank 0's")


@case("ranks: one that is lost to mpirun as well", carriers=("uring",))
def killed_whole(carrier):
    lost(carrier, 0, "--enable-recovery")  # with which mpirun's own status says nothing


@case("ranks: one that stands still is named after 20 s, and the others go on", carriers=("uring",))
def silent(carrier):
    status = lost(carrier, 1, by=signal.SIGSTOP, why="it was not heard of for 20 s")
    equal(status, 3, "exit status of mpirun: rank 0's")
