#pragma once
// The bytes that applications send: each known from its stream and its position.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tests/sim/random.h"

namespace millrace::sim {

// Every stream is the same noise, begun elsewhere. Its period is a prime, so that no segment size or window
// that goes wrong meets the same bytes again.
class Stream {
  public:
    explicit Stream(std::uint64_t number) : begin_(number * 7919 % kPeriod) {}

    void write(std::uint64_t position, std::span<std::byte> to) const {
        each(position, to.size(), [&](const std::byte* noise, std::size_t at, std::size_t part) {
            std::memcpy(to.data() + at, noise, part);
            return true;
        });
    }
    bool matches(std::uint64_t position, std::span<const std::byte> bytes) const {
        return each(position, bytes.size(), [&](const std::byte* noise, std::size_t at, std::size_t part) {
            return std::memcmp(bytes.data() + at, noise, part) == 0;
        });
    }

  private:
    static constexpr std::size_t kPeriod = 65521;

    static const std::array<std::byte, kPeriod>& noise() {
        static const auto bytes = [] {
            std::array<std::byte, kPeriod> made;
            Random random(1, "stream");
            for (std::byte& b : made)
                b = static_cast<std::byte>(random.next());
            return made;
        }();
        return bytes;
    }

    template <class Use>
    bool each(std::uint64_t position, std::size_t length, Use&& use) const {
        for (std::size_t at = 0; at < length;) {
            const std::size_t from = (begin_ + position + at) % kPeriod;
            const std::size_t part = std::min(length - at, kPeriod - from);
            if (!use(noise().data() + from, at, part)) return false;
            at += part;
        }
        return true;
    }

    std::uint64_t begin_;
};

}  // namespace millrace::sim
