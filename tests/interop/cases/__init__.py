"""The tests, in the order in which they run."""

from . import ping, http, echo, deflate, peers, ipv6, violations, access, stress, many, failures, drain, options, client, vlan, tcp, tls, connect, load, latency, ranks, behind, feed, status  # noqa: F401
