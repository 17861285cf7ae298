#pragma once
// The groups that a host listens to on its link, and when it says so: unasked when it joins them, and within
// the time that a querier gives (RFC 3810 section 6, for hosts that listen to every source). Switches that
// snoop pass on to us only what is sent to the groups we have reported; among them are the solicited-node
// groups by which neighbours find our addresses (RFC 4861 section 7.2.1). Sans-I/O: run_timers() fills
// to_send().

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/time.h"
#include "netstack/ip/mld.h"

namespace millrace::net {

struct GroupCounters {
    Counter queries;        // heard
    Counter other_reports;  // of other hosts, of version 1
    Counter groups_full;    // joins refused
};

class GroupMembership {
  public:
    // A join beyond it is refused and counted: that group hears what switches flood, no more.
    static constexpr std::size_t kMostGroups = 256;

    // `seed` spreads our answers among those of others.
    explicit GroupMembership(std::uint64_t seed) : random_(seed) {}

    // Reported by the next run_timers(), and again within a second. Nothing where it was joined before.
    void join(const IpAddress& group);
    // Reports every group as if it had just been joined: our source address was none before (RFC 3590
    // section 4).
    void report_again(Time now);

    void query_arrives(const MldQuery& query, Time now);
    // Another host of version 1 has reported `group`: ours is then not needed (RFC 2710 section 4).
    void report_arrives(const IpAddress& group);

    void run_timers(Time now);
    // When run_timers() next has something to do.
    Time next_timer() const { return next_timer_; }

    // What came out since the last clear(): in reports of version 1, one for each, or of version 2.
    std::span<const MldRecord> to_send() const { return {to_send_.data(), sending_}; }
    bool version1() const { return version1_; }
    void clear() { sending_ = 0; }

    std::size_t size() const { return size_; }
    const GroupCounters& counters() const { return counters_; }

  private:
    struct Group {
        IpAddress ip;
        std::uint8_t changes = 0;  // state change reports that are still to be sent
        Time change_at = kNever;
        Time answer_at = kNever;  // to a query about this group; of version 1, about any
    };

    std::span<Group> groups() { return {groups_.data(), size_}; }
    Group* find(const IpAddress& group);
    void follow_version(const MldQuery& query, Time now);
    void change_version(bool version1);
    Duration at_random(Duration most);
    void find_next_timer();

    std::array<Group, kMostGroups> groups_;
    std::size_t size_ = 0;
    std::array<MldRecord, kMostGroups> to_send_;  // each group at most once
    std::size_t sending_ = 0;
    std::uint64_t random_;
    bool version1_ = false;
    std::uint8_t robustness_ = 2;     // RFC 3810 section 9.1, until the querier says another,
    Duration query_interval_ = 125s;  // and section 9.2
    Time version1_until_ = kNever;    // while version1_
    Time answer_all_at_ = kNever;
    Time next_timer_ = kNever;
    GroupCounters counters_;
};

}  // namespace millrace::net
