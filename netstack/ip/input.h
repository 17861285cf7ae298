#pragma once
// The way in through IP: a frame becomes a layer-4 packet with verified checksums, or is counted and dropped
// (IPv4: RFC 791, RFC 1122 section 3.2.1; IPv6: RFC 8200, RFC 4291). IPv4's options are skipped: none asks an
// end host to do anything. Fragments of either family are dropped: both ends of a TCP connection send
// unfragmented packets (path MTU discovery, RFC 1191 and RFC 8201), and a reassembly buffer is something
// strangers could fill.

#include <rte_mbuf.h>

#include <cstdint>
#include <string_view>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/ip/extension_headers.h"
#include "netstack/ip/ipv4.h"
#include "netstack/ip/ipv6.h"
#include "netstack/ip/local_addresses.h"
#include "netstack/link/ethernet.h"

namespace millrace::net {

enum class IpVerdict : std::uint8_t {
    kTcp,      // the mbuf's data are the TCP segment, checksum verified, without padding
    kIcmp,     // the mbuf's data are the ICMP message, checksum not yet looked at
    kIcmpv6,   // likewise
    kRefused,  // IPv6: problem() is to be sent to the source; the mbuf begins with the IP header
    kArp,      // untouched
    kDropped,  // counted; the mbuf is still the caller's
};

struct IpArrival {
    IpAddress source;
    IpAddress destination;
    bool unicast = true;         // sent to us alone, on both layers
    std::uint8_t hop_limit = 0;  // of IPv6, as is:
    bool router_alert = false;   // a hop-by-hop option of multicast listener discovery was there
};

struct IpCounters {
    Counter received;    // IP packets
    Counter not_for_us;  // another host's MAC or IP address, or a group's
    Counter wrong_vlan;  // untagged where a LAN was given, or of another
    Counter unknown_ether_type;
    Counter truncated;   // shorter than its headers say, or than headers can be
    Counter bad_header;  // version, header length, TTL of zero
    Counter bad_header_checksum;
    Counter martian;  // from an address that no host can have, or from ourselves
    Counter fragments;
    Counter discarded;  // by an option's wish, without an upper layer, or with too many headers
    Counter unknown_protocol;
    Counter bad_tcp_checksum;
    Counter scattered;             // in several mbufs, which the port was not asked for
    Counter unfinished_checksums;  // believed: this machine's kernel left them to its NIC
    Counter over_mtu;              // larger than the MTU: the kernel left segmentation to its NIC
};

class IpInput {
  public:
    // An unfinished checksum is believed up to so many packets after another one.
    static constexpr std::uint64_t kUnfinishedMemory = 1 << 20;

    // `unfinished_checksums`: the peer is this machine's kernel (Offloads).
    // `vlan`: the LAN whose frames are read; zero: untagged ones.
    IpInput(const LocalAddresses& local, const MacAddress& mac, std::uint16_t mtu, bool unfinished_checksums,
            std::uint16_t vlan = 0)
        : local_(&local), mac_(mac), mtu_(mtu), vlan_(vlan), unfinished_checksums_(unfinished_checksums) {}

    // Reads an Ethernet frame. With kTcp, kIcmp and kIcmpv6, `arrival` is filled and the headers below layer
    // 4 are cut from the mbuf.
    IpVerdict accept(rte_mbuf* frame, IpArrival& arrival);
    // What was wrong with the packet that was refused last.
    const Icmpv6Problem& problem() const { return problem_; }

    const IpCounters& counters() const { return counters_; }
    // A sentence for the user when the kernel peer's offloads were seen to be left on; empty otherwise.
    std::string_view hint() const;

  private:
    std::uint16_t vlan_of(rte_mbuf* frame);
    IpVerdict accept_ipv4(rte_mbuf* frame, IpArrival& arrival, bool unicast);
    IpVerdict accept_ipv6(rte_mbuf* frame, IpArrival& arrival, bool unicast);
    IpVerdict give_up_on(const UpperLayer& upper);
    IpVerdict refuse(const Icmpv6Problem& problem);
    bool addressed_to_us(IpArrival& arrival, std::uint8_t protocol);
    IpVerdict accept_tcp(rte_mbuf* segment, const IpArrival& arrival);
    bool tcp_checksum_good(const rte_mbuf* segment, const IpArrival& arrival);
    bool leaves_checksums(const rte_mbuf* segment);

    const LocalAddresses* local_;
    MacAddress mac_;
    std::uint16_t mtu_;
    std::uint16_t vlan_;
    bool unfinished_checksums_;
    std::uint64_t believed_until_ = 0;  // in packets received
    Icmpv6Problem problem_;
    IpCounters counters_;
};

}  // namespace millrace::net
