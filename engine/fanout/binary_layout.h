#pragma once
// The layout of millrace.v1 (README.md): numbers are big-endian, and each message begins with its kind.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "netstack/base/byte_order.h"

namespace millrace::fanout::binary {

enum class Kind : std::uint8_t {
    // From the server.
    kPublication = 0x01,
    kTopic = 0x02,
    kSkipped = 0x03,
    kGap = 0x04,
    kReply = 0x05,
    // From subscribers and publishers.
    kSubscribe = 0x11,
    kUnsubscribe = 0x12,
    kList = 0x13,
    kPublish = 0x14,
};

inline constexpr std::size_t kPublicationHeader = 28;
inline constexpr std::size_t kNoticeHeader = 20;
inline constexpr std::size_t kReplyHeader = 8;
inline constexpr std::size_t kSubscribeHeader = 24;
inline constexpr std::size_t kRequestHeader = 8;

// The second byte. Of publications, both ways, its lowest two bits are the Content.
inline constexpr std::uint8_t kContentBits = 0x03;
inline constexpr std::uint8_t kSnapshot = 0x04;      // publication
inline constexpr std::uint8_t kAcknowledge = 0x08;   // publish
inline constexpr std::uint8_t kWantSnapshot = 0x01;  // subscribe
inline constexpr std::uint8_t kWantFrom = 0x02;
inline constexpr std::uint8_t kWantConflate = 0x04;

using Bytes = std::vector<std::byte>;

inline void append(Bytes& out, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void append(Bytes& out, std::span<const std::byte> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// Writes a header's fields one after the other into what has room for them.
class Writer {
  public:
    explicit Writer(std::byte* at) : at_(at) {}
    Writer& u8(std::uint8_t v) { return copy(v); }
    Writer& u32(std::uint32_t v) { return copy(net::big_endian32(v)); }
    Writer& u64(std::uint64_t v) { return copy(net::big_endian64(v)); }

  private:
    template <std::unsigned_integral Number>
    Writer& copy(Number v) {
        std::memcpy(at_, &v, sizeof v);
        at_ += sizeof v;
        return *this;
    }

    std::byte* at_;
};

inline std::uint8_t u8_at(std::span<const std::byte> in, std::size_t at) {
    return std::to_integer<std::uint8_t>(in[at]);
}
inline std::uint32_t u32_at(std::span<const std::byte> in, std::size_t at) {
    return net::load_big_endian<std::uint32_t>(in.data() + at);
}
inline std::uint64_t u64_at(std::span<const std::byte> in, std::size_t at) {
    return net::load_big_endian<std::uint64_t>(in.data() + at);
}
inline std::string_view text_of(std::span<const std::byte> in) {
    return {reinterpret_cast<const char*>(in.data()), in.size()};
}

// The names at the end of a message, each behind a byte with its length.
inline void append_names(Bytes& out, std::span<const std::string_view> names) {
    for (const auto name : names) {
        out.push_back(static_cast<std::byte>(name.size()));
        append(out, name);
    }
}
// Calls each(name), which says whether to go on; false when the layout is broken or `each` said so.
template <class Each>
bool each_name(std::span<const std::byte> in, Each&& each) {
    while (!in.empty()) {
        const std::size_t size = u8_at(in, 0);
        if (in.size() < 1 + size) return false;
        if (!each(text_of(in.subspan(1, size)))) return false;
        in = in.subspan(1 + size);
    }
    return true;
}

}  // namespace millrace::fanout::binary
