#pragma once
// What a bulk transfer consists of: every byte follows from the run's seed and its position in the stream, so
// the receiver can tell a byte that was changed, lost, doubled or moved, without keeping a copy. Word i, of 8
// bytes in the machine's order, is i times an odd constant plus a key: no two of the stream are alike, and a
// vector of them costs an addition, so that the pattern is written and compared about as fast as memory goes.

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::bench {

class Stream {
  public:
    explicit Stream(std::uint64_t seed) : key_(seed * 0xbf58476d1ce4e5b9 + 0x94d049bb133111eb) {}

    // Writes the bytes from `position` on.
    void fill(std::span<std::byte> bytes, std::uint64_t position) const;
    // True when `bytes` are those from `position` on; every one of them is looked at.
    bool matches(std::span<const std::byte> bytes, std::uint64_t position) const;

  private:
    static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;

    std::uint64_t word(std::uint64_t i) const { return key_ + i * kStep; }
    std::byte byte(std::uint64_t position) const {
        return static_cast<std::byte>(word(position / 8) >> (8 * (position % 8)) & 0xff);
    }

    std::uint64_t key_;
};

}  // namespace millrace::bench
