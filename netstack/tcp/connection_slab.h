#pragma once
// The shard's connections, indexed by ConnId. A slot given back during a poll is not taken again before the
// next poll begins (netstack/carrier.h), so that no event of this poll can name its next tenant.

#include "netstack/carrier.h"
#include "netstack/tcp/connection.h"

namespace millrace::tcp {

class ConnectionSlab {
  public:
    static Expected<ConnectionSlab> create(std::size_t capacity) {
        auto slots = ReservedArray<Connection>::create(capacity);
        if (!slots) return tl::unexpected(slots.error());
        ConnectionSlab slab;
        slab.slots_ = std::move(*slots);
        return slab;
    }

    // What was given back in the last poll may be taken again.
    void begin_poll() {
        if (resting_ == kNoBlock) return;
        link(last_resting_) = free_;
        free_ = resting_;
        resting_ = last_resting_ = kNoBlock;
    }

    // A fresh connection in State::kFree; kNoBlock when none is free.
    std::uint32_t take() {
        const std::uint32_t taken = free_;
        if (taken == kNoBlock) return take_fresh();
        free_ = link(taken);
        ++in_use_;
        reset(slots_[taken], slots_[taken].flags & kListed);
        return taken;
    }

    // Its connection holds nothing any more. The slot remembers the ends until it has a new tenant: events of
    // this poll may name it still.
    void give_back(std::uint32_t slot) {
        Connection& c = slots_[slot];
        c.state = State::kFree;
        c.flags &= kListed | kIpv6;
        link(slot) = resting_;
        if (resting_ == kNoBlock) last_resting_ = slot;
        resting_ = slot;
        --in_use_;
    }

    // The slot that was given back last, for a new tenant in this same poll: only where no event of this poll
    // can have named the old one.
    std::uint32_t take_just_given_back() {
        const std::uint32_t taken = resting_;
        resting_ = link(taken);
        if (resting_ == kNoBlock) last_resting_ = kNoBlock;
        ++in_use_;
        reset(slots_[taken], slots_[taken].flags & kListed);
        return taken;
    }

    // Takes memory for the first `connections` slots now.
    void populate(std::size_t connections) { slots_.populate(connections); }

    Connection& operator[](std::uint32_t slot) { return slots_[slot]; }
    const Connection& operator[](std::uint32_t slot) const { return slots_[slot]; }
    std::uint32_t number_of(const Connection& c) const {
        return static_cast<std::uint32_t>(&c - slots_.data());
    }
    std::size_t in_use() const { return in_use_; }
    std::size_t capacity() const { return slots_.capacity(); }
    std::uint32_t touched() const { return touched_; }
    std::size_t resident_bytes() const { return slots_.resident_bytes(); }

  private:
    static constexpr std::uint32_t kListed = kInDirtyList | kInReadyList;  // the lists still name the slot

    // Written before it is read: a fresh page that is read first is faulted in twice, the second time with an
    // interrupt to every other core that runs a thread of ours.
    std::uint32_t take_fresh() {
        if (touched_ == slots_.capacity()) return kNoBlock;
        ++in_use_;
        reset(slots_[touched_], 0);
        return touched_++;
    }
    static void reset(Connection& c, std::uint32_t listed) {
        c = Connection{};
        c.flags = listed;
        c.send_queue = c.reassembly = c.timer = c.app_timer = kNoBlock;
    }
    std::uint32_t& link(std::uint32_t slot) { return slots_[slot].timer_at; }

    ReservedArray<Connection> slots_;
    std::uint32_t free_ = kNoBlock;
    std::uint32_t resting_ = kNoBlock;  // given back in this poll, newest first
    std::uint32_t last_resting_ = kNoBlock;
    std::uint32_t touched_ = 0;
    std::uint32_t in_use_ = 0;
};

}  // namespace millrace::tcp
