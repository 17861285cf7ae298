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
    duplicates_.reserve(kMostDuplicates);
    to_send_.reserve(kMessagesAtOnce);
    nd_to_send_.reserve(kMessagesAtOnce);
    ready_.reserve(config.max_waiting);
    failed_.reserve(config.max_waiting);
    silent_routers_.reserve(kMostSilentRouters);
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

void Neighbours::become(Entry& entry, State state) {
    unresolved_ += static_cast<std::size_t>(unresolved(state));
    unresolved_ -= static_cast<std::size_t>(unresolved(entry.state));
    entry.state = state;
}

Neighbours::Entry* Neighbours::insert(const IpAddress& ip, Newcomer newcomer) {
    if (size_ == config_.max_entries && !make_room(newcomer)) return nullptr;
    std::size_t slot = slot_of(ip);
    while (entries_[slot].state != State::kNone)
        slot = (slot + 1) & mask_;
    Entry& entry = entries_[slot];
    entry = Entry{};
    entry.ip = ip;
    become(entry, State::kFailed);  // until the caller says better
    entry.header.source = mac_;
    entry.header.set_type(ip.is_v4() ? EtherType::kIpv4 : EtherType::kIpv6);
    ++size_;
    return &entry;
}

// Linear probing: entries after the hole move up where that shortens their way.
void Neighbours::erase(std::size_t slot) {
    --size_;
    become(entries_[slot], State::kNone);
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
bool Neighbours::make_room(Newcomer newcomer) {
    constexpr std::size_t kMostLooks = 128;  // a bound on the work; what still finds nothing is refused
    const bool known_ones_too = newcomer == Newcomer::kKnown || unresolved_ < config_.max_entries / 2;
    for (std::size_t i = 0; i < kMostLooks; ++i) {
        Entry& entry = entries_[hand_ = (hand_ + 1) & mask_];
        const bool may_go = known_ones_too || entry.state == State::kFailed;
        if (settled(entry) && !entry.used && may_go && !local_->is_router(entry.ip)) {
            erase(hand_);
            return true;
        }
        entry.used = entry.used && !settled(entry);
    }
    return false;
}

const EthernetHeader* Neighbours::find(const IpAddress& neighbour, Time now) {
    Entry* entry = lookup(neighbour);
    if (!entry) return nullptr;
    if (!entry->used) entry->used = true;
    if (entry->state == State::kReachable && now < entry->due) [[likely]]
        return &entry->header;
    return use_aged(*entry, now);
}

// RFC 4861 section 7.3.3: the first packet for a stale neighbour leaves at once, and makes sure that it is
// there.
const EthernetHeader* Neighbours::use_aged(Entry& entry, Time now) {
    if (entry.state == State::kIncomplete || entry.state == State::kFailed) return nullptr;
    if (entry.state == State::kReachable || entry.state == State::kStale) {
        if (entry.ip.is_v4())
            begin_tries(entry, State::kProbe, now);
        else
            put_in_motion(entry, State::kDelay, now + config_.delay);
    }
    return &entry.header;
}

bool Neighbours::wait(const IpAddress& neighbour, rte_mbuf* packet, Time now) {
    Entry* entry = lookup(neighbour);
    if (entry && entry->state == State::kFailed && now < entry->due) {
        ++counters_->unreachable;
        return false;
    }
    if (!entry && !(entry = insert(neighbour, Newcomer::kUnresolved))) {
        ++counters_->table_full;
        return false;
    }
    entry->used = true;
    if (entry->state == State::kFailed) begin_tries(*entry, State::kIncomplete, now);

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

void Neighbours::set_mac(Entry& entry, const MacAddress& mac) {
    entry.header.destination = mac;
}

// The neighbour has answered us.
void Neighbours::confirm(Entry& entry, Time now) {
    become(entry, State::kReachable);
    entry.tries = 0;
    entry.due = now + (entry.ip.is_v4() ? config_.fresh : config_.reachable);
    deliver_waiting(entry);
}

// Its MAC address is known, whether it hears us is not.
void Neighbours::become_stale(Entry& entry) {
    become(entry, State::kStale);
    entry.tries = 0;
    deliver_waiting(entry);
}

void Neighbours::deliver_waiting(Entry& entry) {
    take_waiting(entry, [&](rte_mbuf* packet) { ready_.push_back({packet, entry.header}); });
}

void Neighbours::put_in_motion(Entry& entry, State state, Time due) {
    become(entry, state);
    entry.tries = 0;
    entry.due = due;
    next_timer_ = std::min(next_timer_, due);
    if (in_motion_.size() == in_motion_.capacity()) forget_settled();
    if (in_motion_.size() < in_motion_.capacity()) in_motion_.push_back(entry.ip);
}

void Neighbours::begin_tries(Entry& entry, State state, Time now) {
    put_in_motion(entry, state, now + config_.retry);
    try_once(entry, now);
}

void Neighbours::try_once(Entry& entry, Time now) {
    entry.due = now + config_.retry;
    next_timer_ = std::min(next_timer_, entry.due);
    if (ask(entry))
        ++entry.tries;  // else there are too many messages at once, and the next try is in a second
}

// A request or solicitation: to everybody (or the group) while the MAC address is not known, to the neighbour
// itself in PROBE (RFC 4861 section 7.3.3; RFC 1122 section 2.3.2.1 (2), unicast poll), where ARP's last try
// asks everybody once more.
bool Neighbours::ask(const Entry& entry) {
    const IpAddress ours = local_->source_for(entry.ip);
    if (entry.ip.is_v4()) {
        const bool unicast = entry.state == State::kProbe && entry.tries + 1 < config_.tries;
        return send({unicast ? entry.header.destination : kBroadcast,
                     {ArpOperation::kRequest, mac_, ours.v4(), MacAddress{}, entry.ip.v4()}});
    }
    const bool unicast = entry.state == State::kProbe;
    const IpAddress group = solicited_node_group(entry.ip);
    return send({unicast ? entry.header.destination : mac_of_group(group),
                 {.type = NdType::kNeighbourSolicitation,
                  .source = ours,
                  .destination = unicast ? entry.ip : group,
                  .target = entry.ip,
                  .link_address = mac_}});
}

void Neighbours::give_up(Entry& entry, Time now) {
    become(entry, State::kFailed);
    entry.due = now + config_.failed_hold;
    ++counters_->failed;
    if (local_->is_router(entry.ip) && silent_routers_.size() < kMostSilentRouters)
        silent_routers_.push_back(entry.ip);
    counters_->unreachable.add(entry.waiting);
    take_waiting(entry, [&](rte_mbuf* packet) { failed_.push_back(packet); });
}

void Neighbours::run_timers(Time now) {
    if (announcing() || now >= next_round_) [[unlikely]]
        send_announcements(now);
    if (now < next_timer_) return;
    next_timer_ = kNever;
    for (const IpAddress& ip : in_motion_) {
        Entry* entry = lookup(ip);
        if (!entry || settled(*entry)) continue;
        if (now >= entry->due) {
            if (entry->state == State::kDelay) {
                entry->state = State::kProbe;
                try_once(*entry, now);
            } else if (entry->tries >= config_.tries) {
                give_up(*entry, now);
            } else {
                try_once(*entry, now);
            }
        }
        if (!settled(*entry)) next_timer_ = std::min(next_timer_, entry->due);
    }
    forget_settled();
}

void Neighbours::forget_settled() {
    std::erase_if(in_motion_, [&](const IpAddress& ip) {
        const Entry* entry = lookup(ip);
        return !entry || settled(*entry);
    });
}

void Neighbours::clear() {
    to_send_.clear();
    nd_to_send_.clear();
    ready_.clear();
    failed_.clear();
    silent_routers_.clear();
}

}  // namespace millrace::net
