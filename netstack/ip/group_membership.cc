#include "netstack/ip/group_membership.h"

#include <algorithm>

namespace millrace::net {

namespace {
// Between the reports of a join: RFC 3810 section 9.11 (RFC 2710 section 7.10 has ten seconds).
constexpr Duration kUnsolicitedInterval = 1s;
}  // namespace

void GroupMembership::join(const IpAddress& group) {
    if (find(group)) return;
    if (size_ == kMostGroups) {
        ++counters_.groups_full;
        return;
    }
    groups_[size_++] = {.ip = group, .changes = robustness_, .change_at = Time::min()};
    next_timer_ = Time::min();
}

void GroupMembership::report_again(Time now) {
    for (Group& group : groups()) {
        group.changes = robustness_;
        group.change_at = now;
    }
    find_next_timer();
}

// Section 6.2, rules 1 to 4: of several answers that would be due the earliest is given.
void GroupMembership::query_arrives(const MldQuery& query, Time now) {
    ++counters_.queries;
    follow_version(query, now);
    if (!query.group.is_unspecified()) {
        const Time at = now + at_random(query.max_response);
        Group* group = find(query.group);
        if (group && answer_all_at_ > at) group->answer_at = std::min(group->answer_at, at);
    } else if (version1_) {  // RFC 2710 section 4: each group has a delay of its own
        for (Group& group : groups())
            group.answer_at = std::min(group.answer_at, now + at_random(query.max_response));
    } else {
        answer_all_at_ = std::min(answer_all_at_, now + at_random(query.max_response));
    }
    find_next_timer();
}

// Section 8.2.1: a querier of version 1 is answered as it understands, until none has been heard for the
// time of section 9.12.
void GroupMembership::follow_version(const MldQuery& query, Time now) {
    if (query.version1) {
        if (!version1_) change_version(true);
        version1_until_ = now + robustness_ * query_interval_ + query.max_response;
    } else if (!version1_) {
        if (query.robustness != 0) robustness_ = query.robustness;
        if (query.interval != Duration{}) query_interval_ = query.interval;
    }
}

// What was pending is over (section 8.2.1).
void GroupMembership::change_version(bool version1) {
    version1_ = version1;
    version1_until_ = answer_all_at_ = kNever;
    for (Group& group : groups()) {
        group.changes = 0;
        group.change_at = group.answer_at = kNever;
    }
}

void GroupMembership::report_arrives(const IpAddress& group) {
    ++counters_.other_reports;
    Group* const ours = find(group);
    if (!ours || !version1_) return;
    ours->answer_at = kNever;
    find_next_timer();
}

void GroupMembership::run_timers(Time now) {
    if (now < next_timer_) return;
    if (now >= version1_until_) change_version(false);
    const bool all = now >= answer_all_at_;
    if (all) answer_all_at_ = kNever;
    sending_ = 0;
    for (Group& group : groups()) {
        const bool asked = all || now >= group.answer_at;
        if (asked) group.answer_at = kNever;
        if (now >= group.change_at) {
            --group.changes;
            group.change_at = group.changes > 0 ? now + at_random(kUnsolicitedInterval) : kNever;
            to_send_[sending_++] = {MldRecordType::kToExclude, group.ip};
        } else if (asked) {
            to_send_[sending_++] = {MldRecordType::kIsExclude, group.ip};
        }
    }
    find_next_timer();
}

GroupMembership::Group* GroupMembership::find(const IpAddress& group) {
    const auto found =
        std::find_if(groups().begin(), groups().end(), [&](const Group& g) { return g.ip == group; });
    return found == groups().end() ? nullptr : &*found;
}

// Up to `most`, all values equally likely.
Duration GroupMembership::at_random(Duration most) {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    return most / 65536 * static_cast<std::int64_t>(random_ >> 48);
}

void GroupMembership::find_next_timer() {
    next_timer_ = std::min(answer_all_at_, version1_until_);
    for (const Group& group : groups())
        next_timer_ = std::min({next_timer_, group.change_at, group.answer_at});
}

}  // namespace millrace::net
