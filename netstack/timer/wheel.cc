#include "netstack/timer/wheel.h"

#include <algorithm>
#include <bit>

namespace millrace::net {

Expected<Wheel> Wheel::create(std::size_t capacity) {
    auto timers = BlockPool<Timer>::create(capacity);
    if (!timers) return tl::unexpected(timers.error());
    Wheel wheel;
    wheel.timers_ = std::move(*timers);
    wheel.heads_.fill(kNoTimer);
    return wheel;
}

std::uint64_t Wheel::tick_of(Time deadline) {
    const auto ns = std::uint64_t(std::max<std::int64_t>(deadline.time_since_epoch().count(), 0));
    return (ns + ((1u << kTickShift) - 1)) >> kTickShift;
}

TimerId Wheel::arm(std::uint32_t owner, std::uint8_t kind, Time deadline) {
    const TimerId id = timers_.take();
    if (id == kNoTimer) return kNoTimer;
    timers_[id] = {.deadline = deadline, .owner = owner, .kind = kind};
    insert(id);
    return id;
}

void Wheel::move(TimerId id, Time deadline) {
    Timer& timer = timers_[id];
    const bool later = deadline >= timer.deadline;
    timer.deadline = deadline;
    if (later) return;
    remove(id);
    insert(id);
}

void Wheel::cancel(TimerId id) {
    remove(id);
    timers_.give_back(id);
}

void Wheel::insert(TimerId id) {
    Timer& timer = timers_[id];
    const std::uint64_t tick = std::max(tick_of(timer.deadline), tick_);
    const std::uint64_t differing = tick ^ tick_;
    const unsigned level = differing == 0 ? 0 : (std::bit_width(differing) - 1) / 8;
    timer.slot = static_cast<std::uint16_t>(level * kSlots + (tick >> (8 * level)) % kSlots);
    timer.prev = kNoTimer;
    timer.next = heads_[timer.slot];
    if (timer.next != kNoTimer) timers_[timer.next].prev = id;
    heads_[timer.slot] = id;
    occupied_[timer.slot / 64] |= std::uint64_t{1} << timer.slot % 64;
    // The slot's first tick: a slot above level 0 has work as soon as the wheel enters it.
    next_tick_ = std::min(next_tick_, tick >> (8 * level) << (8 * level));
}

void Wheel::remove(TimerId id) {
    const Timer& timer = timers_[id];
    if (timer.next != kNoTimer) timers_[timer.next].prev = timer.prev;
    if (timer.prev != kNoTimer) {
        timers_[timer.prev].next = timer.next;
        return;
    }
    heads_[timer.slot] = timer.next;
    if (timer.next == kNoTimer) occupied_[timer.slot / 64] &= ~(std::uint64_t{1} << timer.slot % 64);
}

// Any slot of a level is reached before every slot of the levels above it, so the lowest occupied level
// decides; within it, the first slot from the wheel's own digit on.
Wheel::Earliest Wheel::earliest() const {
    // A slot above level 0 that the wheel has entered and, its budget spent, not yet emptied.
    for (unsigned level = 1; level < kLevels; ++level) {
        const unsigned slot = level * kSlots + (tick_ >> (8 * level)) % kSlots;
        if (occupied_[slot / 64] >> slot % 64 & 1) return {tick_, slot};
    }
    for (unsigned level = 0; level < kLevels; ++level) {
        const unsigned digit = (tick_ >> (8 * level)) % kSlots;
        for (unsigned word = digit / 64; word < kSlots / 64; ++word) {
            std::uint64_t bits = occupied_[level * (kSlots / 64) + word];
            if (word == digit / 64) bits &= ~std::uint64_t{0} << digit % 64;
            if (bits == 0) continue;
            const unsigned slot = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
            const unsigned above = 8 * (level + 1);
            const std::uint64_t tick = (tick_ >> above << above) | std::uint64_t{slot} << (8 * level);
            return {tick, level * kSlots + slot};
        }
    }
    return {~std::uint64_t{0}, 0};
}

}  // namespace millrace::net
