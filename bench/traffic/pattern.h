#pragma once
// What the lab's messages consist of: every byte follows from the run's seed, the connection's number and the
// message's sequence number, so either end can tell a message that was changed, lost, doubled, reordered or
// delivered to another connection, without keeping a copy of it.
//
// A payload of 8 bytes or more begins with the sequence number and the connection's number (32 bits each,
// the machine's byte order); from these the server learns which connection it serves. In a shorter one all
// bytes depend on the sequence number only.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "engine/endpoint/message.h"

namespace millrace::bench {

class Pattern {
  public:
    explicit Pattern(std::uint64_t seed) : seed_(seed) {}

    void fill(std::span<std::byte> payload, std::uint32_t number, std::uint32_t sequence) const;
    bool matches(const Message& message, std::uint32_t number, std::uint32_t sequence) const;

    // The connection's number in a message's head; nothing when the message is too short to tell.
    static std::optional<std::uint32_t> number_in(const Message& message);

  private:
    static constexpr std::size_t kHead = 8;

    // One message's words of 8 bytes.
    struct Words {
        std::uint64_t head;
        std::uint64_t key;
        std::uint64_t operator[](std::uint64_t i) const {
            if (i == 0) return head;
            // A multiplication spreads i over the upper half, the shift brings that into the lower one.
            const std::uint64_t product = (key ^ i) * 0x9e3779b97f4a7c15;
            return product ^ product >> 32;
        }
    };

    Words words(std::size_t size, std::uint32_t number, std::uint32_t sequence) const {
        if (size < kHead) number = 0;
        const std::uint64_t head = std::uint64_t{number} << 32 | sequence;
        const std::uint64_t product = (head ^ seed_) * 0xbf58476d1ce4e5b9;
        const std::uint64_t key = product ^ product >> 29;
        return {size < kHead ? key : head, key};
    }

    static bool part_matches(const Words& words, std::span<const std::byte> part, std::size_t offset);

    std::uint64_t seed_;
};

}  // namespace millrace::bench
