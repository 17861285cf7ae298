#pragma once
// ICMP (RFC 792, RFC 1122 section 3.2.2) as a TCP host needs it: echoes are answered at a bounded rate, and
// errors about our own segments are read so that TCP learns of them.

#include <rte_mbuf.h>

#include <cstdint>
#include <optional>

#include "netstack/base/address.h"
#include "netstack/base/byte_order.h"
#include "netstack/base/counter.h"
#include "netstack/base/rate_limit.h"
#include "netstack/base/time.h"
#include "netstack/ip/input.h"

namespace millrace::net {

struct IcmpCounters {
    Counter received;
    Counter bad;               // truncated, wrong checksum, or an error that quotes no segment of ours
    Counter ignored;           // types that we have no use for, or not sent to us alone
    Counter echoes;            // answered
    Counter echoes_limited;    // over the rate
    Counter errors;            // handed to TCP
    Counter refusals;          // errors sent about packets of others (ICMPv6)
    Counter refusals_limited;  // over the rate
};

// "Destination unreachable" or "packet too big" about a TCP segment that we sent.
struct IcmpError {
    bool too_big;            // "fragmentation needed" or "packet too big": the peer can be reached
    std::uint16_t next_mtu;  // then: RFC 1191 section 4, RFC 8201; zero from old routers
    SocketAddress local;     // the quoted segment's source and destination
    SocketAddress remote;
    std::uint32_t sequence;  // its sequence number: a blind attacker does not know it (RFC 5927 section 4.1)
};

// The error about a segment of ours, of which the first eight bytes are quoted at `tcp`: ports and sequence
// number (RFC 792, RFC 4443 section 3). `next_mtu` is given when it was too big.
inline IcmpError about_segment(const IpAddress& local, const IpAddress& remote, const std::byte* tcp,
                               std::optional<std::uint16_t> next_mtu) {
    return {.too_big = next_mtu.has_value(),
            .next_mtu = next_mtu.value_or(0),
            .local = {local, load_big_endian<std::uint16_t>(tcp)},
            .remote = {remote, load_big_endian<std::uint16_t>(tcp + 2)},
            .sequence = load_big_endian<std::uint32_t>(tcp + 4)};
}

class Icmp {
  public:
    // `echo_rate`: replies a second, with as many at once.
    explicit Icmp(std::uint32_t echo_rate = 1000) : echoes_(echo_rate) {}

    enum class Verdict : std::uint8_t { kReply, kError, kNothing };

    // Reads the message, whose IP headers have been cut off. kReply: the mbuf has become the answer, to be
    // sent from arrival.destination to arrival.source (checksum zero, as IpOutput asks). kError: `error` is
    // filled.
    Verdict input(rte_mbuf* message, const IpArrival& arrival, Time now, IcmpError& error);

    const IcmpCounters& counters() const { return counters_; }

  private:
    RateLimit echoes_;
    IcmpCounters counters_;
};

}  // namespace millrace::net
