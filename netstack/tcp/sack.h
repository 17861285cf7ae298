#pragma once
// The receiver's side of SACK (RFC 2018 section 4): what is held beyond the first gap, most recent first. As
// many blocks are remembered as an ACK can tell; when there are more gaps the oldest report is forgotten,
// which the sender has heard several times by then. The list of mbufs itself knows nothing of this.

#include <algorithm>
#include <array>
#include <span>

#include "netstack/tcp/options.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

class SackBlocks {
  public:
    // Bytes that came just now: their block comes first, grown by all that it touches.
    void add(SackBlock fresh) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const SackBlock b = blocks_[i];
            if (b.from <= fresh.to && fresh.from <= b.to) {
                fresh = {min(b.from, fresh.from), max(b.to, fresh.to)};
            } else {
                blocks_[kept++] = b;
            }
        }
        kept = std::min(kept, kMostSackBlocks - 1);
        std::move_backward(blocks_.begin(), blocks_.begin() + kept, blocks_.begin() + kept + 1);
        blocks_[0] = fresh;
        count_ = static_cast<std::uint8_t>(kept + 1);
    }

    // The bytes before `rcv_nxt` are acknowledged.
    void advance(Seq rcv_nxt) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count_; ++i)
            if (blocks_[i].to > rcv_nxt) blocks_[kept++] = blocks_[i];
        count_ = static_cast<std::uint8_t>(kept);
    }

    // What of `fresh` is held already; empty when nothing, as far as is remembered.
    SackBlock duplicate(SackBlock fresh) const {
        for (const SackBlock& b : view())
            if (b.from < fresh.to && fresh.from < b.to) return {max(b.from, fresh.from), min(b.to, fresh.to)};
        return {};
    }

    std::span<const SackBlock> view() const { return {blocks_.data(), count_}; }

  private:
    std::array<SackBlock, kMostSackBlocks> blocks_{};
    std::uint8_t count_ = 0;
};

}  // namespace millrace::tcp
