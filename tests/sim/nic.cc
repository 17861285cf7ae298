#include "tests/sim/nic.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "netstack/tcp/header.h"
#include "tests/sim/failure.h"

namespace millrace::sim {
namespace {

// Of the Ethernet, IPv4, IPv6 and TCP headers.
constexpr std::size_t kIpv4Length = 2, kIpv4Checksum = 10, kIpv4Source = 12, kIpv4Bytes = 20;
constexpr std::size_t kIpv6Length = 4, kIpv6Source = 8, kIpv6Bytes = 40;
constexpr std::size_t kTcpSequence = 4, kTcpFlags = 13, kTcpChecksum = 16;

std::uint32_t get16(const Bytes& bytes, std::size_t at) {
    return std::to_integer<std::uint32_t>(bytes[at]) << 8 | std::to_integer<std::uint32_t>(bytes[at + 1]);
}

void set16(Bytes& bytes, std::size_t at, std::uint32_t value) {
    bytes[at] = static_cast<std::byte>(value >> 8);
    bytes[at + 1] = static_cast<std::byte>(value);
}

void set32(Bytes& bytes, std::size_t at, std::uint32_t value) {
    set16(bytes, at, value >> 16);
    set16(bytes, at + 2, value & 0xffff);
}

// RFC 1071, word by word.
std::uint32_t sum(std::span<const std::byte> bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

// One segment, or what was to be sent as it is: `payload` behind the packet's headers.
class Frame {
  public:
    Frame(const rte_mbuf* packet, Bytes bytes)
        : bytes_(std::move(bytes)),
          flags_(packet->ol_flags),
          ip_(packet->l2_len),
          tcp_(ip_ + packet->l3_len),
          v6_((flags_ & RTE_MBUF_F_TX_IPV6) != 0) {}

    // The `from`-th byte of a large send begins here.
    void cut_from(std::uint32_t from, bool last) {
        set32(bytes_, tcp_ + kTcpSequence,
              (get16(bytes_, tcp_ + kTcpSequence) << 16 | get16(bytes_, tcp_ + kTcpSequence + 2)) + from);
        if (!last) bytes_[tcp_ + kTcpFlags] &= ~std::byte{tcp::kPsh | tcp::kFin};
        if (v6_) {
            set16(bytes_, ip_ + kIpv6Length, static_cast<std::uint32_t>(bytes_.size() - tcp_));
        } else {
            set16(bytes_, ip_ + kIpv4Length, static_cast<std::uint32_t>(bytes_.size() - ip_));
        }
    }
    // The field holds the sum of the pseudo-header; of a large send it has no length.
    Bytes finished() {
        const bool large = (flags_ & RTE_MBUF_F_TX_TCP_SEG) != 0;
        if (flags_ & RTE_MBUF_F_TX_TCP_CKSUM) {
            require(get16(bytes_, tcp_ + kTcpChecksum) == pseudo_header(large ? 0 : bytes_.size() - tcp_),
                    "the pseudo-header's sum is not what NICs expect");
            set16(bytes_, tcp_ + kTcpChecksum, pseudo_header(bytes_.size() - tcp_));
            set16(bytes_, tcp_ + kTcpChecksum, ~sum(std::span(bytes_).subspan(tcp_)));
        }
        // Where there is no offload for it (virtio), who cuts a packet sums IPv4's headers all the same.
        if (!v6_ && (large || (flags_ & RTE_MBUF_F_TX_IP_CKSUM))) {
            set16(bytes_, ip_ + kIpv4Checksum, 0);
            set16(bytes_, ip_ + kIpv4Checksum, ~sum(std::span(bytes_).subspan(ip_, kIpv4Bytes)));
        }
        return std::move(bytes_);
    }

  private:
    std::uint32_t pseudo_header(std::size_t tcp_bytes) const {
        constexpr std::uint32_t kTcp = 6;
        const auto addresses = v6_ ? std::span(bytes_).subspan(ip_ + kIpv6Source, kIpv6Bytes - kIpv6Source)
                                   : std::span(bytes_).subspan(ip_ + kIpv4Source, kIpv4Bytes - kIpv4Source);
        return sum(addresses, kTcp + static_cast<std::uint32_t>(tcp_bytes));
    }

    Bytes bytes_;
    std::uint64_t flags_;
    std::size_t ip_, tcp_;
    bool v6_;
};

}  // namespace

std::vector<Bytes> on_the_wire(const rte_mbuf* packet) {
    Bytes whole;
    unsigned parts = 0;
    for (const rte_mbuf* part = packet; part != nullptr; part = part->next, ++parts) {
        const auto* data = rte_pktmbuf_mtod(part, const std::byte*);
        require(part->data_len > 0, "an empty part of a packet");
        whole.insert(whole.end(), data, data + part->data_len);
    }
    require(whole.size() == packet->pkt_len && parts == packet->nb_segs,
            "a packet's parts are not its length");
    std::vector<Bytes> frames;
    if ((packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0) {
        frames.push_back(Frame(packet, std::move(whole)).finished());
        return frames;
    }
    const std::size_t headers = packet->l2_len + packet->l3_len + packet->l4_len;
    const std::size_t each = packet->tso_segsz;
    require(each != 0 && whole.size() > headers + each, "a large send of a single segment");
    for (std::size_t from = headers; from < whole.size(); from += each) {
        const std::size_t end = std::min(whole.size(), from + each);
        Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(headers));
        bytes.insert(bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(from),
                     whole.begin() + static_cast<std::ptrdiff_t>(end));
        Frame frame(packet, std::move(bytes));
        frame.cut_from(static_cast<std::uint32_t>(from - headers), end == whole.size());
        frames.push_back(frame.finished());
    }
    return frames;
}

}  // namespace millrace::sim
