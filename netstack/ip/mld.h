#pragma once
// Multicast listener discovery for IPv6: the messages of version 2 (RFC 3810 section 5) and of version 1 (RFC
// 2710 section 3) that a host hears and says. They stay on the link: their hop limit is 1, and a hop-by-hop
// option has every router and snooping switch look at them (RFC 2711).

#include <rte_mbuf.h>

#include <cstdint>
#include <optional>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/time.h"
#include "netstack/ip/input.h"
#include "netstack/ip/ipv6.h"

namespace millrace::net {

enum class MldType : std::uint8_t {
    kQuery = 130,
    kReportV1 = 131,
    kReportV2 = 143,
};

struct MldQuery {
    IpAddress group;          // unspecified: about all groups
    Duration max_response{};  // the answer is due within it
    bool version1 = false;
    std::uint8_t robustness = 0;  // of version 2, as is the interval; 0: not said
    Duration interval{};
};

// Of a multicast address record (RFC 3810 section 5.2.12). We listen to every source: EXCLUDE of none.
enum class MldRecordType : std::uint8_t { kIsExclude = 2, kToExclude = 4 };

struct MldRecord {
    MldRecordType type;
    IpAddress group;
};

// Records of one report, which no link is too small for.
inline constexpr std::size_t kMostMldRecords = (kIpv6LeastMtu - kIpv6Bytes - 8 - 8) / 20;

// `message` begins with its ICMPv6 header; its checksum has been verified. Nothing where it fails the checks
// of RFC 3810 section 6.2 (version 1: RFC 2710 section 4). A query about some sources of a group is taken as
// one about all: the answer is as true, and there is no list of sources for strangers to fill.
std::optional<MldQuery> parse_mld_query(const rte_mbuf* message, const IpArrival& arrival);
// The group that another host of version 1 reports.
std::optional<IpAddress> parse_mld_report(const rte_mbuf* message, const IpArrival& arrival);

// Write the whole frame into an empty mbuf. `source` is link-local, or unspecified while there is no such
// address of ours (RFC 3590). At most kMostMldRecords; of version 1 a report is of one group.
void write_mld_report(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source,
                      std::span<const MldRecord> records);
void write_mld_report_v1(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source,
                         const IpAddress& group);

}  // namespace millrace::net
