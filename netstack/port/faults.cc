#include "netstack/port/faults.h"

namespace millrace::net {

// A linear congruential generator (Knuth's MMIX constants): what follows a seed is the same everywhere.
std::uint32_t FaultStage::below(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>((state_ >> 33) % bound);
}

bool FaultStage::happens(double probability, Counter& counter) {
    if (below(1u << 30) >= probability * (1u << 30)) return false;
    ++counter;
    return true;
}

void FaultStage::corrupt(rte_mbuf* copied) {
    constexpr std::uint32_t kEthernet = 14;
    if (copied->data_len <= kEthernet) return;
    auto* data = rte_pktmbuf_mtod_offset(copied, std::uint8_t*, kEthernet);
    data[below(copied->data_len - kEthernet)] ^= static_cast<std::uint8_t>(1u << below(8));
    // A port that verifies checksums would not vouch for it.
    copied->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
}

bool FaultStage::put(Wire& wire, const rte_mbuf* frame, std::uint64_t receive_flags) {
    if (wire.stage_full()) return false;
    if (!wire.fits(frame)) return wire.put(frame, receive_flags);
    rte_mbuf* copied = wire.copy(frame, receive_flags);
    if (!copied) return false;
    ++turn_;
    if (happens(faults_.lose, counters_.lost)) {
        wire.take_back(copied);
        return true;
    }
    if (happens(faults_.corrupt, counters_.corrupted)) corrupt(copied);
    if (held_count_ < kMostHeld && happens(faults_.duplicate, counters_.duplicated))
        if (rte_mbuf* again = wire.copy(frame, receive_flags)) hold(again, below(4));
    if (held_count_ < kMostHeld && happens(faults_.reorder, counters_.reordered))
        hold(copied, 1 + below(4));
    else if (held_count_ < kMostHeld && happens(faults_.delay, counters_.delayed))
        hold(copied, 1 + below(faults_.delay_turns));
    else
        wire.stage(copied);
    return true;
}

void FaultStage::turn(Wire& wire) {
    ++turn_;
    unsigned kept = 0;
    for (unsigned i = 0; i < held_count_; ++i) {
        if (held_[i].due <= turn_ && !wire.stage_full())
            wire.stage(held_[i].copied);
        else
            held_[kept++] = held_[i];
    }
    held_count_ = kept;
}

}  // namespace millrace::net
