#include "engine/mold/moldudp64.h"

#include <cstring>

namespace millrace::mold {

std::array<std::byte, kHeader> encode(const Header& header) {
    std::array<std::byte, kHeader> out;
    const std::uint64_t sequence = net::big_endian64(header.sequence);
    const std::uint16_t count = net::big_endian16(header.count);
    std::memcpy(out.data(), header.session.data(), header.session.size());
    std::memcpy(out.data() + 10, &sequence, sizeof sequence);
    std::memcpy(out.data() + 18, &count, sizeof count);
    return out;
}

bool decode(std::span<const std::byte> packet, Header& out) {
    if (packet.size() < kHeader) return false;
    std::memcpy(out.session.data(), packet.data(), out.session.size());
    out.sequence = net::load_big_endian<std::uint64_t>(packet.data() + 10);
    out.count = net::load_big_endian<std::uint16_t>(packet.data() + 18);
    return true;
}

}  // namespace millrace::mold
