#pragma once
// MoldUDP64 1.00 (Nasdaq): a numbered stream of messages in UDP packets, and the request for those that were
// missed. A packet is a header of 20 bytes (session, sequence number of the first message, count) and
// messages, each behind its length in 2 bytes. A count of 0 is a heartbeat, 0xFFFF the end of the session;
// both say the number of the next message.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "netstack/base/byte_order.h"

namespace millrace::mold {

inline constexpr std::size_t kHeader = 20;
inline constexpr std::uint16_t kEndOfSession = 0xFFFF;
inline constexpr std::size_t kMaxPacket = 65507;  // of UDP over IPv4

using Session = std::array<char, 10>;

struct Header {
    Session session{};
    std::uint64_t sequence = 0;
    std::uint16_t count = 0;

    bool operator==(const Header&) const = default;
    bool has_messages() const { return count != 0 && count != kEndOfSession; }
};

std::array<std::byte, kHeader> encode(const Header& header);
// False: the packet is shorter than a header.
bool decode(std::span<const std::byte> packet, Header& out);

// Calls each(sequence, message) for the messages of a packet with that header. False, before any call, when
// they do not fill the packet exactly.
template <class Each>
bool each_message(std::span<const std::byte> packet, const Header& header, Each&& each) {
    const auto walk = [&](auto&& visit) {
        std::span<const std::byte> rest = packet.subspan(kHeader);
        for (unsigned i = 0; header.has_messages() && i < header.count; ++i) {
            if (rest.size() < 2) return false;
            const std::size_t size = net::load_big_endian<std::uint16_t>(rest.data());
            if (rest.size() < 2 + size) return false;
            visit(header.sequence + i, rest.subspan(2, size));
            rest = rest.subspan(2 + size);
        }
        return rest.empty();
    };
    if (!walk([](std::uint64_t, std::span<const std::byte>) {})) return false;
    walk(each);
    return true;
}

}  // namespace millrace::mold
