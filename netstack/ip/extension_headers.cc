#include "netstack/ip/extension_headers.h"

#include <cstddef>

namespace millrace::net {
namespace {

// Bounds on what one packet can make us look at (RFC 8504 section 5.3 names such limits).
constexpr unsigned kMostHeaders = 8;
constexpr unsigned kMostOptions = 16;  // in a header

using Found = UpperLayer::Found;

UpperLayer nowhere(Found why) {
    return {.found = why};
}

UpperLayer problem(std::uint8_t code, std::uint32_t pointer, bool even_to_group = false) {
    return {.found = Found::kProblem, .problem = {kParameterProblem, code, pointer, even_to_group}};
}

std::uint8_t octet(const std::byte* packet, std::uint32_t at) {
    return static_cast<std::uint8_t>(packet[at]);
}

constexpr std::uint8_t kRouterAlert = 5;

// Section 4.2: the two highest bits of an unknown option's type say what to do. Router Alert, which asks
// routers alone for something (RFC 2711), is noted.
UpperLayer check_options(const std::byte* packet, std::uint32_t at, std::uint32_t end) {
    UpperLayer seen;
    for (unsigned options = 0; at < end; ++options) {
        if (options == kMostOptions) return nowhere(Found::kTooMany);
        const std::uint8_t type = octet(packet, at);
        if (type == 0) {  // Pad1
            ++at;
            continue;
        }
        if (at + 2 > end || at + 2 + octet(packet, at + 1) > end) return nowhere(Found::kTruncated);
        switch (type >> 6) {
            case 0:
                if (type == kRouterAlert && octet(packet, at + 1) == 2 &&
                    load_big_endian<std::uint16_t>(packet + at + 2) == 0)
                    seen.router_alert = true;
                break;
            case 1:
                return nowhere(Found::kDiscarded);
            default:
                return problem(kUnknownOption, at, type >> 6 == 2);
        }
        at += 2 + octet(packet, at + 1);
    }
    return seen;
}

}  // namespace

UpperLayer find_upper_layer(const std::byte* packet, std::uint32_t length) {
    std::uint32_t named_at = offsetof(Ipv6Header, next_header);  // where the next header's type is written
    std::uint32_t at = kIpv6Bytes;
    bool router_alert = false;
    for (unsigned headers = 0;; ++headers) {
        const std::uint8_t type = octet(packet, named_at);
        switch (type) {
            case kHopByHop:
                // Section 4.1: only right behind the IPv6 header; elsewhere it is a header unknown.
                if (headers != 0) return problem(kUnknownNextHeader, named_at);
                break;
            case kRouting:
            case kFragment:
            case kDestinationOptions:
                break;
            case kNoNextHeader:
                return nowhere(Found::kNothing);
            default:
                return {.protocol = type, .offset = at, .named_at = named_at, .router_alert = router_alert};
        }
        if (headers == kMostHeaders) return nowhere(Found::kTooMany);
        if (at + 8 > length) return nowhere(Found::kTruncated);
        const std::uint32_t bytes = type == kFragment ? 8 : 8 + 8u * octet(packet, at + 1);
        if (at + bytes > length) return nowhere(Found::kTruncated);
        if (type == kRouting) {
            // Section 4.4, and RFC 5095 for type 0: with segments left, no type is known here.
            if (octet(packet, at + 3) != 0) return problem(kErroneousHeader, at + 2);
        } else if (type == kFragment) {
            // An "atomic" fragment is a whole packet (RFC 6946 section 4).
            if ((load_big_endian<std::uint16_t>(packet + at + 2) & 0xfff9) != 0)
                return nowhere(Found::kPartial);
        } else {
            const UpperLayer options = check_options(packet, at + 2, at + bytes);
            if (options.found != Found::kYes) return options;
            router_alert |= type == kHopByHop && options.router_alert;
        }
        named_at = at;
        at += bytes;
    }
}

std::uint32_t find_icmpv6(const std::byte* packet, std::uint32_t length) {
    std::uint8_t type = octet(packet, offsetof(Ipv6Header, next_header));
    std::uint32_t at = kIpv6Bytes;
    for (unsigned headers = 0; headers <= kMostHeaders && at + 8 <= length; ++headers) {
        if (type == kProtocolIcmpv6) return at;
        const bool skipped = type == kHopByHop || type == kRouting || type == kDestinationOptions;
        if (!skipped && type != kFragment) break;
        const std::uint32_t bytes = skipped ? 8 + 8u * octet(packet, at + 1) : 8;
        type = octet(packet, at);
        at += bytes;
    }
    return length;
}

}  // namespace millrace::net
