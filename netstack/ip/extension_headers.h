#pragma once
// The extension headers of an IPv6 packet (RFC 8200 section 4), as a host that is the packet's destination
// treats them: nothing in them asks it to do anything, but some must be refused aloud.

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/ip/ipv6.h"

namespace millrace::net {

// What an ICMPv6 error says (RFC 4443 section 3).
struct Icmpv6Problem {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t pointer = 0;   // into the packet, for a parameter problem
    bool even_to_group = false;  // said even about a packet to a group (RFC 4443 section 2.4 (e.3))
};

struct UpperLayer {
    enum class Found : std::uint8_t {
        kYes,
        kNothing,    // "no next header": legal, and empty
        kTruncated,  // a header reaches beyond the packet
        kTooMany,    // more headers or options than anybody needs (RFC 8504 section 5.3)
        kPartial,    // a fragment, one of several
        kDiscarded,  // an option asks for silence
        kProblem,    // `problem` is to be sent to the source
    };
    Found found = Found::kYes;
    std::uint8_t protocol = 0;
    std::uint32_t offset = 0;    // of the upper-layer header in the packet
    std::uint32_t named_at = 0;  // where in the packet its protocol is written
    Icmpv6Problem problem{};
    bool router_alert = false;  // the option of multicast listener discovery was there (RFC 2711)
};

inline constexpr std::uint8_t kParameterProblem = 4;
inline constexpr std::uint8_t kErroneousHeader = 0;
inline constexpr std::uint8_t kUnknownNextHeader = 1;
inline constexpr std::uint8_t kUnknownOption = 2;

// Walks from the IPv6 header at `packet`, of which `length` bytes are there, to the upper layer's. Protocols
// are not judged: that is the caller's affair.
UpperLayer find_upper_layer(const std::byte* packet, std::uint32_t length);

// Where an ICMPv6 message lies behind headers that are not judged; `length` when there is none.
std::uint32_t find_icmpv6(const std::byte* packet, std::uint32_t length);

}  // namespace millrace::net
