#pragma once
// What a completion says it belongs to: operation, slot and the slot's generation, in io_uring's 64 bits of
// user data.

#include <cstdint>

namespace millrace::net::uring {

enum class Operation : std::uint8_t {
    kWake,
    kAccept,  // index: the listener's place
    kConnect,
    kConnectTimeout,  // linked to kConnect
    kReceive,
    kSend,
    kCancel,
    kClose,  // of a descriptor whose slot is already free
};

struct Tag {
    Operation operation;
    std::uint32_t generation;  // 24 bits
    std::uint32_t index;
};

inline constexpr std::uint32_t kGenerationMask = 0xffffff;

constexpr std::uint64_t pack(Tag tag) {
    return std::uint64_t{static_cast<std::uint8_t>(tag.operation)} << 56 |
           std::uint64_t{tag.generation & kGenerationMask} << 32 | tag.index;
}

constexpr Tag unpack(std::uint64_t data) {
    return {static_cast<Operation>(data >> 56), static_cast<std::uint32_t>(data >> 32) & kGenerationMask,
            static_cast<std::uint32_t>(data)};
}

}  // namespace millrace::net::uring
