#pragma once
// What a NIC puts on the wire of a packet that it was handed, by the rules of rte_mbuf_core.h: the checksums
// that were left to it (RTE_MBUF_F_TX_IP_CKSUM, RTE_MBUF_F_TX_TCP_CKSUM), and of a large send
// (RTE_MBUF_F_TX_TCP_SEG) the segments, each with the headers of the whole, its own lengths and sequence
// number, and PSH and FIN only in the last.

#include <rte_mbuf.h>

#include <cstddef>
#include <vector>

namespace millrace::sim {

using Bytes = std::vector<std::byte>;

// A frame for each segment; throws Failure where the packet breaks the rules.
std::vector<Bytes> on_the_wire(const rte_mbuf* packet);

}  // namespace millrace::sim
