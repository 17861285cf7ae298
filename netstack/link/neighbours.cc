#include "netstack/link/neighbours.h"

#include <algorithm>
#include <bit>

#include "netstack/port/mbuf.h"

namespace millrace::net {

Expected<Neighbours> Neighbours::create(const NeighbourConfig& config, const MacAddress& mac,
                                        const LocalAddresses& local) {
    Neighbours table(config, mac, local);
    auto entries = ReservedArray<Entry>::create(table.mask_ + 1);
    if (!entries) return tl::unexpected(entries.error());
    auto waiting = ReservedArray<Waiting>::create(config.max_waiting);
    if (!waiting) return tl::unexpected(waiting.error());
    table.entries_ = std::move(*entries);
    table.waiting_ = std::move(*waiting);
    return table;
}

// The lists that run_timers() and input() fill are reserved for their bound: nothing is allocated afterwards.
Neighbours::Neighbours(const NeighbourConfig& config, const MacAddress& mac, const LocalAddresses& local)
    : config_(config),
      mac_(mac),
      local_(&local),
      mask_(std::bit_ceil(std::size_t{config.max_entries} * 2) - 1) {
    in_motion_.reserve(config.max_entries);
    to_send_.reserve(kArpsAtOnce);
    ready_.reserve(config.max_waiting);
    failed_.reserve(config.max_waiting);
}

Neighbours::~Neighbours() {
    for (const Ready& packet : ready_)
        release(packet.packet);
    for (rte_mbuf* packet : failed_)
        release(packet);
    if (entries_.capacity() == 0) return;
    for (const IpAddress& ip : in_motion_)
        if (Entry* entry = lookup(ip)) take_waiting(*entry, [](rte_mbuf* packet) { release(packet); });
}

std::size_t Neighbours::slot_of(const IpAddress& ip) const {
    return static_cast<std::size_t>((ip.high * 31 ^ ip.low) * 0x9e3779b97f4a7c15u >> 32) & mask_;
}

Neighbours::Entry* Neighbours::lookup(const IpAddress& ip) {
    for (std::size_t slot = slot_of(ip);; slot = (slot + 1) & mask_) {
        Entry& entry = entries_[slot];
        if (entry.state == State::kNone) return nullptr;
        if (entry.ip == ip) return &entry;
    }
}

Neighbours::Entry* Neighbours::insert(const IpAddress& ip) {
    if (size_ == config_.max_entries && !make_room()) return nullptr;
    std::size_t slot = slot_of(ip);
    while (entries_[slot].state != State::kNone)
        slot = (slot + 1) & mask_;
    Entry& entry = entries_[slot];
    entry = Entry{};
    entry.ip = ip;
    entry.state = State::kFailed;  // until the caller says better
    entry.header.source = mac_;
    entry.header.set_type(EtherType::kIpv4);
    ++size_;
    return &entry;
}

// Linear probing: entries after the hole move up where that shortens their way.
void Neighbours::erase(std::size_t slot) {
    --size_;
    for (std::size_t next = (slot + 1) & mask_; entries_[next].state != State::kNone;
         next = (next + 1) & mask_) {
        const std::size_t home = slot_of(entries_[next].ip);
        if (((next - home) & mask_) >= ((next - slot) & mask_)) {
            entries_[slot] = entries_[next];
            slot = next;
        }
    }
    entries_[slot] = Entry{};
}

// The second-chance clock: of the settled entries it passes, one not used since it last passed gives way.
bool Neighbours::make_room() {
    for (std::size_t i = 0; i < 2 * std::size_t{64}; ++i) {
        Entry& entry = entries_[hand_ = (hand_ + 1) & mask_];
        const bool settled = entry.state == State::kFresh || entry.state == State::kFailed;
        if (settled && !entry.used) {
            erase(hand_);
            return true;
        }
        entry.used = entry.used && !settled;
    }
    return false;
}

const EthernetHeader* Neighbours::find(const IpAddress& neighbour, Time now) {
    Entry* entry = lookup(neighbour);
    if (!entry || (entry->state != State::kFresh && entry->state != State::kProbing)) return nullptr;
    if (!entry->used) entry->used = true;
    if (entry->state == State::kFresh && now >= entry->due) [[unlikely]]
        begin_tries(*entry, State::kProbing, now);
    return &entry->header;
}

bool Neighbours::wait(const IpAddress& neighbour, rte_mbuf* packet, Time now) {
    Entry* entry = lookup(neighbour);
    if (entry && entry->state == State::kFailed && now < entry->due) {
        ++counters_->unreachable;
        return false;
    }
    if (!entry && !(entry = insert(neighbour))) {
        ++counters_->table_full;
        return false;
    }
    entry->used = true;
    if (entry->state == State::kFailed) begin_tries(*entry, State::kResolving, now);

    std::uint32_t place = free_waiting_;
    if (entry->waiting >= config_.max_waiting_per_entry ||
        (place == 0 && fresh_waiting_ == config_.max_waiting)) {
        ++counters_->waiting_full;
        return false;
    }
    if (place != 0)
        free_waiting_ = waiting_[place - 1].next;
    else
        place = ++fresh_waiting_;
    waiting_[place - 1] = {packet, 0};
    if (entry->waiting++ == 0)
        entry->first_waiting = place;
    else
        waiting_[entry->last_waiting - 1].next = place;
    entry->last_waiting = place;
    return true;
}

template <class Use>
void Neighbours::take_waiting(Entry& entry, Use&& use) {
    std::uint32_t place = entry.first_waiting;
    for (; entry.waiting != 0; --entry.waiting) {
        Waiting& w = waiting_[place - 1];
        use(w.packet);
        const std::uint32_t next = w.next;
        w.next = free_waiting_;
        free_waiting_ = place;
        place = next;
    }
    entry.first_waiting = entry.last_waiting = 0;
}

void Neighbours::input(const ArpPacket& packet, Time now) {
    const bool request = packet.operation == ArpOperation::kRequest;
    ++(request ? counters_->requests_received : counters_->replies_received);
    // A probe for an address (RFC 5227 section 2.1.1) has no sender address yet: it is answered, nothing is
    // learnt.
    const bool probe = packet.sender.value == 0;
    if (!probe && local_->is_local(packet.sender)) {
        if (packet.sender_mac != mac_) ++counters_->conflicts;
        return;
    }
    if (!probe && (is_martian_source(packet.sender) || local_->is_broadcast(packet.sender) ||
                   !local_->is_neighbour(packet.sender))) {
        ++counters_->ignored;
        return;
    }
    const bool for_us = local_->is_local(packet.target);
    if (!probe) {
        // RFC 826 "Packet Reception": what is known is updated by any packet; only one for us adds to the
        // table.
        Entry* entry = lookup(packet.sender);
        if (!entry && for_us && request) entry = insert(packet.sender);
        if (entry) learn(*entry, packet.sender_mac, now);
    }
    if (request && for_us && config_.answers) reply_to(packet);
    if (!for_us) ++counters_->ignored;
}

void Neighbours::learn(Entry& entry, const MacAddress& mac, Time now) {
    entry.header.destination = mac;
    entry.state = State::kFresh;
    entry.tries = 0;
    entry.due = now + config_.fresh;
    take_waiting(entry, [&](rte_mbuf* packet) { ready_.push_back({packet, entry.header}); });
}

void Neighbours::reply_to(const ArpPacket& request) {
    if (to_send_.size() == kArpsAtOnce) return;  // asked again in a second
    to_send_.push_back({request.sender_mac,
                        {ArpOperation::kReply, mac_, request.target, request.sender_mac, request.sender}});
    ++counters_->replies_sent;
}

void Neighbours::begin_tries(Entry& entry, State state, Time now) {
    entry.state = state;
    entry.tries = 0;
    if (in_motion_.size() == in_motion_.capacity()) forget_settled();
    in_motion_.push_back(entry.ip);
    try_once(entry, now);
}

// A request; to the last known MAC address first when there is one (RFC 1122 section 2.3.2.1 (2), unicast
// poll).
void Neighbours::try_once(Entry& entry, Time now) {
    entry.due = now + config_.retry;
    next_timer_ = std::min(next_timer_, entry.due);
    if (to_send_.size() == kArpsAtOnce) return;  // the next try comes in a second
    const bool unicast = entry.state == State::kProbing && entry.tries + 1 < config_.tries;
    ++entry.tries;
    to_send_.push_back(
        {unicast ? entry.header.destination : kBroadcast,
         {ArpOperation::kRequest, mac_, local_->source_for(entry.ip).v4(), MacAddress{}, entry.ip.v4()}});
    ++counters_->requests_sent;
}

void Neighbours::give_up(Entry& entry, Time now) {
    entry.state = State::kFailed;
    entry.due = now + config_.failed_hold;
    ++counters_->failed;
    counters_->unreachable.add(entry.waiting);
    take_waiting(entry, [&](rte_mbuf* packet) { failed_.push_back(packet); });
}

void Neighbours::run_timers(Time now) {
    if (announcing()) [[unlikely]]
        send_announcements();
    if (now < next_timer_) return;
    next_timer_ = kNever;
    for (const IpAddress& ip : in_motion_) {
        Entry* entry = lookup(ip);
        if (!entry || !in_motion(*entry)) continue;
        if (now >= entry->due) {
            if (entry->tries >= config_.tries)
                give_up(*entry, now);
            else
                try_once(*entry, now);
        }
        if (in_motion(*entry)) next_timer_ = std::min(next_timer_, entry->due);
    }
    forget_settled();
}

void Neighbours::forget_settled() {
    std::erase_if(in_motion_, [&](const IpAddress& ip) {
        const Entry* entry = lookup(ip);
        return !entry || !in_motion(*entry);
    });
}

void Neighbours::send_announcements() {
    std::uint64_t skip = announced_;
    for (const LocalRange& range : local_->ranges()) {
        for (; skip < range.count && to_send_.size() < kArpsAtOnce; ++skip, ++announced_) {
            const Ipv4 ip = range.first.plus(skip).v4();
            to_send_.push_back({kBroadcast, {ArpOperation::kRequest, mac_, ip, MacAddress{}, ip}});
            ++counters_->requests_sent;
        }
        if (skip < range.count) return;
        skip -= range.count;
    }
    announced_ = kAllAnnounced;
}

void Neighbours::clear() {
    to_send_.clear();
    ready_.clear();
    failed_.clear();
}

}  // namespace millrace::net
