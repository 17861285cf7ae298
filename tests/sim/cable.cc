#include "tests/sim/cable.h"

#include <algorithm>

#include "netstack/link/ethernet.h"

namespace millrace::sim {
namespace {

constexpr std::size_t kIpv6Headers = net::kEthernetBytes + 40;

bool is_ipv6(std::span<const std::byte> frame) {
    return frame[12] == std::byte{0x86} && frame[13] == std::byte{0xdd};
}

// ARP, or ICMPv6 in its place.
bool finds_neighbours(std::span<const std::byte> frame) {
    constexpr std::byte kIcmpv6{58};
    if (frame[12] == std::byte{0x08}) return frame[13] == std::byte{0x06};
    return is_ipv6(frame) && frame[net::kEthernetBytes + 6] == kIcmpv6;
}

}  // namespace

bool Cable::is_down(Duration now) const {
    return std::any_of(scenario_.outages.begin(), scenario_.outages.end(), [&](const Outage& outage) {
        return outage.ways[from_] && now >= outage.from && now < outage.from + outage.length;
    });
}

bool Cable::is_lost() {
    if (plan_.burst_enter > 0) {
        in_burst_ = in_burst_ ? !random_.chance(plan_.burst_leave) : random_.chance(plan_.burst_enter);
        if (in_burst_ && random_.chance(plan_.burst_loss)) return true;
    }
    return random_.chance(plan_.loss);
}

const MtuChange* Cable::mtu_at(Duration now) const {
    const MtuChange* current = nullptr;
    for (const MtuChange& change : scenario_.mtu_changes)
        if (change.at <= now && (current == nullptr || change.at >= current->at)) current = &change;
    return current;
}

Fate Cable::put(std::span<const std::byte> frame, Duration now) {
    const bool calm = now >= scenario_.calm;
    const MtuChange* mtu = mtu_at(now);
    if (mtu != nullptr && frame.size() > mtu->mtu + std::size_t{net::kEthernetBytes}) return Fate::kTooLong;
    if (!calm && is_down(now)) return Fate::kDown;
    // The search for neighbours has no retransmission worth the name, and is the local link's, where little
    // is lost.
    if (!calm && (scenario_.harsh || !finds_neighbours(frame)) && is_lost()) return Fate::kLost;

    Duration at = now;
    if (plan_.bits_per_second != 0) {
        const Duration backlog = std::max(busy_until_ - now, Duration{});
        const auto queued =
            static_cast<std::uint64_t>(backlog.count()) * (plan_.bits_per_second / 8) / 1'000'000'000;
        if (queued + frame.size() > plan_.queue_bytes) return Fate::kQueueFull;
        busy_until_ =
            std::max(busy_until_, now) +
            Duration(static_cast<std::int64_t>(frame.size() * 8 * 1'000'000'000 / plan_.bits_per_second));
        at = busy_until_;
    }
    at += plan_.delay;
    const auto some_jitter = [&] {
        return Duration(
            static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(plan_.jitter.count()) + 1)));
    };
    if (calm) {
        fly(frame, std::max(at, last_arrival_), false);
        return Fate::kPassed;
    }
    const bool damaged = random_.chance(plan_.corruption);
    if (random_.chance(plan_.reordering)) {
        fly(frame, at + 100us + some_jitter(), damaged);
    } else {
        last_arrival_ = std::max(at + some_jitter(), last_arrival_);
        fly(frame, last_arrival_, damaged);
    }
    while (random_.chance(plan_.duplication))
        fly(frame, at + some_jitter() + some_jitter(), false);
    return Fate::kPassed;
}

void Cable::fly(std::span<const std::byte> frame, Duration at, bool damaged) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(buffers_.size()));
        buffers_.emplace_back();
    }
    const std::uint32_t buffer = free_.back();
    free_.pop_back();
    buffers_[buffer].assign(frame.begin(), frame.end());
    damaged = damaged && !finds_neighbours(frame);
    if (damaged) damage(buffers_[buffer]);
    flying_.push({at, order_++, buffer, damaged});
}

// What the internet checksum is sure to notice: a burst of less than sixteen bits (RFC 1071 says of two bits
// far apart that they may cancel out), or a frame cut short. The Ethernet and IPv6 headers rely on the link's
// own sum, and stay whole.
void Cable::damage(std::vector<std::byte>& frame) {
    const std::size_t from = is_ipv6(frame) ? kIpv6Headers : net::kEthernetBytes;
    const std::size_t bytes = frame.size() - from;
    if (bytes == 0) return;
    if (random_.chance(0.1)) return frame.resize(frame.size() - 1 - random_.below(bytes));
    const std::size_t first = random_.below(bytes * 8);
    const std::size_t length = random_.chance(0.7) ? 1 : 1 + random_.below(15);
    for (std::size_t i = 0; i < length && first + i < bytes * 8; ++i) {
        if (i != 0 && i + 1 != length && random_.chance(0.5)) continue;
        const std::size_t bit = first + i;
        frame[from + bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    }
}

Cable::Arrival Cable::take() {
    const Flying first = flying_.top();
    flying_.pop();
    free_.push_back(first.buffer);
    return {buffers_[first.buffer], first.damaged};
}

}  // namespace millrace::sim
