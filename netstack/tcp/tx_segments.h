#pragma once
// Segments on their way out: the list that Tcp fills and the stack drains into IpOutput after every flush().
// Sans-I/O: what TCP does to the world is this list (and its events), so a test reads it directly.

#include <rte_mbuf.h>

#include <cassert>
#include <cstdint>
#include <memory>
#include <span>

#include "netstack/base/address.h"
#include "netstack/port/mbuf.h"

namespace millrace::tcp {

// What IpOutput::send() asks for. `packet` begins with a TCP header of `header_bytes` whose checksum field is
// zero; it may be a chain; its first mbuf has at least net::kLinkHeadroom in front. One reference is owned.
// With RTE_MBUF_F_TX_TCP_SEG it is a large send, which the port cuts into segments of tso_segsz bytes of
// payload.
struct TxSegment {
    rte_mbuf* packet;
    net::IpAddress source;
    net::IpAddress destination;
    std::uint16_t header_bytes;
};

class TxSegments {
  public:
    static constexpr std::size_t kCapacity = 512;

    std::size_t room() const { return kCapacity - count_; }
    void push(const TxSegment& segment) {
        assert(count_ < kCapacity);
        list_[count_++] = segment;
        last_part_ = segment.packet->nb_segs == 1 ? segment.packet : nullptr;
    }
    // Takes `segment` over as a part of the newest one where the two can leave as one large send of at most
    // `most` segments of `mss` bytes: the port gives each of them the header of the first (large_send.cc).
    bool extend_last(const TxSegment& segment, std::uint16_t mss, unsigned most);
    std::span<const TxSegment> view() const { return {list_.get(), count_}; }
    // The segments' references have been taken over.
    void clear() { count_ = 0; }

    TxSegments() = default;
    TxSegments(TxSegments&&) = delete;
    ~TxSegments() {
        for (const TxSegment& segment : view())
            net::release(segment.packet);
    }

  private:
    std::unique_ptr<TxSegment[]> list_ = std::make_unique<TxSegment[]>(kCapacity);
    std::size_t count_ = 0;
    rte_mbuf* last_part_ = nullptr;  // of the newest one; null: it cannot be extended
};

}  // namespace millrace::tcp
