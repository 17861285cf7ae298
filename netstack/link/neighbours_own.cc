// Our own addresses on the link: asked about, announced, defended.

#include "netstack/link/neighbours.h"

namespace millrace::net {

namespace {
constexpr Duration kBetweenRounds = 2s;    // of announcements: RFC 5227 section 1.1, ANNOUNCE_INTERVAL
constexpr Duration kDefendInterval = 10s;  // DEFEND_INTERVAL
}  // namespace

void Neighbours::send_announcements(Time now) {
    if (!announcing()) announced_ = 0;
    next_round_ = kNever;
    if (round_ == Round::kFirst) asking_ = false;
    std::uint64_t skip = announced_;
    for (const LocalRange& range : local_->ranges()) {
        for (; skip < range.count; ++skip, ++announced_)
            if (!announce_one(range.first.plus(skip))) return;
        skip -= range.count;
    }
    announced_ = kAllAnnounced;
    if (round_ == Round::kAsk) next_round_ = now + config_.tentative;
    if (round_ == Round::kFirst) next_round_ = now + kBetweenRounds;
    round_ = round_ == Round::kAsk ? Round::kFirst : round_ == Round::kFirst ? Round::kSecond : Round::kOver;
}

// False when there are too many messages at once.
bool Neighbours::announce_one(const IpAddress& ip) {
    if (!config_.answers || is_duplicate(ip)) return true;
    if (ip.is_v4()) {  // a probe has no sender yet (RFC 5227 section 2.1.1)
        const Ipv4 sender = asking_ ? Ipv4{} : ip.v4();
        return send({kBroadcast, {ArpOperation::kRequest, mac_, sender, MacAddress{}, ip.v4()}});
    }
    if (asking_) {  // RFC 4862 section 5.4.2
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

// Somebody else claims `ip`. While we ask about it, it is left to him (RFC 4862 section 5.4.5, RFC 5227
// section 2.1.1). After that ours are defended, at a bounded rate: RFC 5227 section 2.4 (c), for hosts whose
// address was given to them on purpose.
void Neighbours::conflict(const IpAddress& ip, Time now) {
    ++counters_->conflicts;
    if (is_duplicate(ip)) return;
    if (asking_) {
        ++counters_->duplicates;
        if (duplicates_.size() < kMostDuplicates)
            duplicates_.push_back(ip);
        else
            all_duplicate_ = true;
        return;
    }
    if (!config_.answers || now < next_defence_) return;
    next_defence_ = now + kDefendInterval;
    announce_one(ip);
}

bool Neighbours::is_duplicate(const IpAddress& ip) const {
    return all_duplicate_ || std::find(duplicates_.begin(), duplicates_.end(), ip) != duplicates_.end();
}

std::string Neighbours::hint() const {
    if (counters_->conflicts.value() == 0) return {};
    if (duplicates_.empty())
        return "another host on this link uses an address that was given to us with --ip: give one of the "
               "two "
               "another address";
    return "another host on this link had the address " + to_string(duplicates_.front()) +
           (duplicates_.size() > 1 ? " and more of those that were" : " before it was") +
           " given to us with --ip, so we do not use it: give one of the two another address";
}

}  // namespace millrace::net
