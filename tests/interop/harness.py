"""What the cases are written with: @case registers one, require() and equal() judge, Skip says why not."""

CARRIERS = ("uring", "dpdk", "xdp")
CASES = []  # (function, title, carriers), in the order in which they are to run


class Skip(Exception):
    """This test cannot run here, for the reason given."""


class Failure(Exception):
    """The other side did not do what it should."""


def case(title, carriers=("uring", "dpdk")):
    """Registers a test: a function that takes the Carrier to run over."""

    def register(function):
        CASES.append((function, title, carriers))
        return function

    return register


def require(condition, what):
    if not condition:
        raise Failure(what)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {brief(got)}, wanted {brief(wanted)}")


def brief(value):
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}... ({len(value)} long)"
