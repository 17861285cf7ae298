// Our own addresses on the link: asked about, announced, defended.

#include "netstack/link/neighbours.h"

namespace millrace::net {

namespace {
// Between the first round (ARP announcements; duplicate address detection) and the second (announcements):
// RFC 5227 section 1.1, ANNOUNCE_INTERVAL; RFC 4862 section 5.4 asks for one second at least.
constexpr Duration kBetweenRounds = 2s;
constexpr Duration kDefendInterval = 10s;  // RFC 5227 section 1.1, DEFEND_INTERVAL
}  // namespace

void Neighbours::send_announcements(Time now) {
    if (!announcing()) announced_ = 0;
    next_round_ = kNever;
    std::uint64_t skip = announced_;
    for (const LocalRange& range : local_->ranges()) {
        for (; skip < range.count; ++skip, ++announced_)
            if (!announce_one(range.first.plus(skip))) return;
        skip -= range.count;
    }
    announced_ = kAllAnnounced;
    if (round_ == Round::kFirst) next_round_ = now + kBetweenRounds;
    round_ = round_ == Round::kFirst ? Round::kSecond : Round::kOver;
}

// False when there are too many messages at once.
bool Neighbours::announce_one(const IpAddress& ip) {
    if (ip.is_v4()) return send({kBroadcast, {ArpOperation::kRequest, mac_, ip.v4(), MacAddress{}, ip.v4()}});
    if (is_duplicate(ip)) return true;
    if (round_ == Round::kFirst) {  // RFC 4862 section 5.4.2
        const IpAddress group = solicited_node_group(ip);
        return send({mac_of_group(group),
                     {.type = NdType::kNeighbourSolicitation,
                      .source = {},
                      .destination = group,
                      .target = ip,
                      .link_address = {}}});
    }
    // RFC 4861 section 7.2.6.
    return send({mac_of_group(kAllNodes),
                 {.type = NdType::kNeighbourAdvertisement,
                  .source = ip,
                  .destination = kAllNodes,
                  .target = ip,
                  .override_entry = true,
                  .link_address = mac_}});
}

// Somebody else claims `ip`. While we ask about it, an IPv6 address is left to him (RFC 4862 section 5.4.5).
// After that ours are defended, at a bounded rate: RFC 5227 section 2.4 (c), for hosts whose address was
// given to them on purpose.
void Neighbours::conflict(const IpAddress& ip, Time now) {
    ++counters_->conflicts;
    if (!config_.answers || is_duplicate(ip)) return;
    if (!ip.is_v4() && asking()) {
        if (duplicates_.size() < kMostDuplicates) duplicates_.push_back(ip);
        return;
    }
    if (now < next_defence_) return;
    next_defence_ = now + kDefendInterval;
    announce_one(ip);
}

bool Neighbours::is_duplicate(const IpAddress& ip) const {
    return std::find(duplicates_.begin(), duplicates_.end(), ip) != duplicates_.end();
}

std::string_view Neighbours::hint() const {
    if (counters_->conflicts.value() == 0) return {};
    return "another host on this link uses an address that was given to us with --ip: give one of the two "
           "another address";
}

}  // namespace millrace::net
