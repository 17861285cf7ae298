#pragma once
// Chance from a seed, the same on every machine. Each topic of a scenario draws from a stream of its own, so
// that what one of them is taught to draw leaves the others, and the seeds known for them, as they were.

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "netstack/base/time.h"

namespace millrace::sim {

class Random {
  public:
    Random(std::uint64_t seed, std::string_view topic, std::uint64_t number = 0) : state_(seed) {
        for (const char c : topic)
            state_ = next() ^ static_cast<unsigned char>(c);
        state_ = next() ^ number;
    }

    std::uint64_t next() {  // SplitMix64 (Steele, Lea, Flood 2014)
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
    bool chance(double probability) {
        return static_cast<double>(next() >> 11) < probability * static_cast<double>(1ull << 53);
    }
    template <class T>
    T pick(std::initializer_list<T> list) {
        return list.begin()[below(list.size())];
    }
    // All orders of magnitude are equally likely: first the number of bits, then the number.
    std::uint64_t log_between(std::uint64_t least, std::uint64_t most) {
        const unsigned few = bits(least), many = bits(most);
        const unsigned width = few + static_cast<unsigned>(below(many - few + 1));
        const std::uint64_t low = width == 0 ? 0 : 1ull << (width - 1);
        const std::uint64_t drawn = low + (low > 1 ? below(low) : 0);
        return drawn < least ? least : drawn > most ? most : drawn;
    }
    Duration log_between(Duration least, Duration most) {
        return Duration(static_cast<std::int64_t>(log_between(static_cast<std::uint64_t>(least.count()),
                                                              static_cast<std::uint64_t>(most.count()))));
    }

  private:
    static unsigned bits(std::uint64_t v) {
        return v == 0 ? 0 : 64 - static_cast<unsigned>(__builtin_clzll(v));
    }

    std::uint64_t state_;
};

}  // namespace millrace::sim
