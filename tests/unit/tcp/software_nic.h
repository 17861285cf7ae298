#pragma once
// What a NIC with TSO puts on the wire, by the rules of rte_mbuf_core.h (RTE_MBUF_F_TX_TCP_SEG): a packet as
// it is, or the segments of a large send, each with the header of the whole, its own sequence number, and PSH
// and FIN only in the last.

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <cstring>
#include <string>
#include <vector>

#include "netstack/tcp/header.h"

namespace millrace::tcp::test {

// `packet` begins with its TCP header.
inline std::vector<std::string> on_the_wire(const rte_mbuf* packet, std::uint16_t header_bytes) {
    std::string all;
    unsigned parts = 0;
    for (const rte_mbuf* m = packet; m != nullptr; m = m->next, ++parts) {
        EXPECT_GT(m->data_len, 0);
        all.append(rte_pktmbuf_mtod(m, const char*), m->data_len);
    }
    EXPECT_EQ(parts, packet->nb_segs);
    EXPECT_EQ(all.size(), packet->pkt_len);
    if ((packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0) return {all};
    const std::size_t each = packet->tso_segsz;
    EXPECT_GT(each, 0u);
    EXPECT_GT(all.size() - header_bytes, each) << "one segment is no large send";
    std::vector<std::string> segments;
    for (std::size_t at = 0; header_bytes + at < all.size(); at += each) {
        rte_tcp_hdr header;
        std::memcpy(&header, all.data(), sizeof header);
        header.sent_seq =
            rte_cpu_to_be_32(rte_be_to_cpu_32(header.sent_seq) + static_cast<std::uint32_t>(at));
        if (header_bytes + at + each < all.size())
            header.tcp_flags &= static_cast<std::uint8_t>(~(kPsh | kFin));
        std::string segment = all.substr(0, header_bytes) + all.substr(header_bytes + at, each);
        std::memcpy(segment.data(), &header, sizeof header);
        segments.push_back(std::move(segment));
    }
    return segments;
}

}  // namespace millrace::tcp::test
