#pragma once
// ICMPv6 (RFC 4443) as a TCP host needs it: echoes are answered and refusals are sent at a bounded rate, and
// errors about our own segments are read so that TCP learns of them. Neighbour discovery (netstack/link) and
// multicast listener discovery (mld.h) travel in the same messages.

#include <rte_mbuf.h>

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/rate_limit.h"
#include "netstack/base/time.h"
#include "netstack/ip/extension_headers.h"
#include "netstack/ip/icmp.h"
#include "netstack/ip/input.h"

namespace millrace::net {

class Icmpv6 {
  public:
    // `echo_rate`: replies a second, and `error_rate`: errors a second (RFC 4443 section 2.4 (f)), with as
    // many at once.
    explicit Icmpv6(std::uint32_t echo_rate = 1000, std::uint32_t error_rate = 100)
        : echoes_(echo_rate), errors_(error_rate) {}

    enum class Verdict : std::uint8_t { kReply, kError, kDiscovery, kListener, kNothing };

    // Reads the message, whose IP headers have been cut off. kReply: the mbuf has become the answer, to be
    // sent to arrival.source (checksum zero, as IpOutput asks), from arrival.destination where that is not a
    // group. kError: `error` is filled. kDiscovery, kListener: a message of neighbour discovery, or of
    // multicast listener discovery, its checksum verified.
    Verdict input(rte_mbuf* message, const IpArrival& arrival, Time now, IcmpError& error);

    // Turns `packet`, which begins with its IPv6 header, into the error message about it, to be sent to
    // arrival.source. False when none is due (section 2.4 (e)) or the rate is exhausted.
    bool refuse(rte_mbuf* packet, const IpArrival& arrival, const Icmpv6Problem& problem, Time now);

    const IcmpCounters& counters() const { return counters_; }

  private:
    RateLimit echoes_;
    RateLimit errors_;
    IcmpCounters counters_;
};

}  // namespace millrace::net
