#pragma once
// Requests that were refused, for the log: written by a shard without waiting, read by one other thread. A
// flood of them costs the shard a few records a second; the rest is only counted.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "netstack/base/address.h"
#include "netstack/base/spsc_ring.h"
#include "netstack/base/time.h"

namespace millrace {

// Text that was cut to what is kept of it.
struct ShortText {
    std::uint8_t size = 0;
    std::array<char, 119> bytes;

    void assign(std::string_view text) {
        size = static_cast<std::uint8_t>(std::min(text.size(), bytes.size()));
        std::copy_n(text.begin(), size, bytes.begin());
    }
    std::string_view view() const { return {bytes.data(), size}; }
};

struct Refusal {
    net::SocketAddress peer;
    int status = 0;
    std::uint32_t untold = 0;  // refused before this one, since the last that was told
    ShortText why;
    ShortText path;  // without its query, which may hold a token; empty when there was no request
    ShortText origin;
};

class RefusalLog {
  public:
    // The shard's side.
    void add(Refusal refusal, Time now) {
        if (now - window_ >= 1s) {
            window_ = now;
            told_ = 0;
        }
        refusal.untold = untold_;
        if (told_ == kMostASecond || !ring_.push(std::move(refusal))) {
            ++untold_;
            return;
        }
        ++told_;
        untold_ = 0;
    }
    // The reader's side.
    bool pop(Refusal& refusal) { return ring_.pop(refusal); }

  private:
    static constexpr unsigned kMostASecond = 10;

    SpscRing<Refusal> ring_{64};
    Time window_{};
    unsigned told_ = 0;
    std::uint32_t untold_ = 0;
};

}  // namespace millrace
