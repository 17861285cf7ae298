#pragma once
// The languages that subscribers and publishers speak; README.md has them byte by byte.

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::fanout {

enum class Dialect : std::uint8_t {
    kBinary,          // subprotocol millrace.v1
    kJson,            // subprotocol millrace.json, or none
    kStream,          // the stream dialect of exchanges: payloads as they are
    kStreamCombined,  // the same, as {"stream":...,"data":...}
};
inline constexpr std::size_t kDialects = 4;

inline constexpr std::string_view kBinarySubprotocol = "millrace.v1";
inline constexpr std::string_view kJsonSubprotocol = "millrace.json";

// What is spoken on /feed and /publish under an agreed subprotocol (empty: none was asked for).
constexpr std::optional<Dialect> dialect_of(std::string_view subprotocol) {
    if (subprotocol == kBinarySubprotocol) return Dialect::kBinary;
    if (subprotocol == kJsonSubprotocol || subprotocol.empty()) return Dialect::kJson;
    return std::nullopt;
}

}  // namespace millrace::fanout
