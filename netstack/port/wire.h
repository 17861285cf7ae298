#pragma once
// One direction of a connection between two threads that share no packet: what a NIC's DMA and the wire do.
// The sender copies a frame into an mbuf of the wire's own pool and releases its own at once; the receiver
// owns the copy and frees it. Thus the sender's TCP may keep what it sent for retransmission while the
// receiver unmasks what it got in place, and every pool and reference count has one writer at a time.

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "netstack/base/counter.h"
#include "netstack/base/error.h"
#include "netstack/port/pools.h"

namespace millrace::net {

struct WireOptions {
    unsigned slots = 2048;            // frames in flight; a power of two
    unsigned mbufs = 8192;            // of which the receiver may keep what `slots` leaves
    std::uint16_t frame_room = 2048;  // bytes of the largest frame
};

class Wire {
  public:
    static Expected<std::unique_ptr<Wire>> create(const WireOptions& options);
    Wire(const Wire&) = delete;

    rte_ring* ring() const { return ring_.get(); }
    rte_mempool* pool() const { return pool_.get(); }
    // Written into each mbuf, as drivers do.
    void set_receiving_port(std::uint16_t port) { port_ = port; }
    std::size_t bytes_in_use() const { return pool_.bytes_in_use(); }

    // The sender's side. Copies `frame` (a chain becomes one segment) to wait for flush(). False when the
    // wire takes no more now; a frame that the wire could never carry is accepted and lost, as a NIC would,
    // and counted. `frame` is only read; the copy's ol_flags are `receive_flags`.
    bool put(const rte_mbuf* frame, std::uint64_t receive_flags) {
        if (stage_full()) return false;
        if (!fits(frame)) [[unlikely]] {
            ++oversized_;
            return true;
        }
        rte_mbuf* copied = copy(frame, receive_flags);
        if (!copied) [[unlikely]]
            return false;
        stage(copied);
        return true;
    }
    // The two halves of put(): a copy of a frame that fits, null when the pool is dry; and its place among
    // those that wait, which must not be full.
    bool fits(const rte_mbuf* frame) const { return frame->pkt_len <= frame_room_; }
    rte_mbuf* copy(const rte_mbuf* frame, std::uint64_t receive_flags);
    void stage(rte_mbuf* copied) { staged_[waiting_++] = copied; }
    // The copy just made is not to be sent after all: it is the next blank.
    void take_back(rte_mbuf* copied) { blanks_[blanks_left_++] = copied; }
    // Passes what waits to `send(rte_mbuf** frames, uint16_t n) -> number sent`.
    template <class Send>
    void flush(Send&& send) {
        if (waiting_ == 0) return;
        const unsigned sent = send(staged_.data(), static_cast<std::uint16_t>(waiting_));
        waiting_ -= sent;
        if (sent != 0 && waiting_ != 0) std::copy_n(staged_.begin() + sent, waiting_, staged_.begin());
        fetch_blanks();
    }
    void flush_to_ring() {
        flush([&](rte_mbuf** frames, std::uint16_t n) {
            return rte_ring_sp_enqueue_burst(ring_.get(), reinterpret_cast<void**>(frames), n, nullptr);
        });
    }
    bool stage_full() const { return waiting_ == kBurst; }
    bool idle() const { return waiting_ == 0; }
    std::uint64_t oversized() const { return oversized_.value(); }

  private:
    static constexpr unsigned kBurst = 64;
    static constexpr unsigned kAhead = 4;

    struct FreeRing {
        void operator()(rte_ring* ring) const { rte_ring_free(ring); }
    };
    Wire(Pool pool, rte_ring* ring, const WireOptions& options);
    rte_mbuf* blank();
    // Asks for the cache lines of the `ahead`-th next blank, and of the next few.
    void fetch_blank(unsigned ahead);
    void fetch_blanks() {
        for (unsigned i = 1; i <= kAhead; ++i)
            fetch_blank(i);
    }

    Pool pool_;
    std::unique_ptr<rte_ring, FreeRing> ring_;
    std::uint16_t frame_room_;
    std::uint16_t port_ = RTE_MBUF_PORT_INVALID;
    Counter oversized_;
    unsigned blanks_left_ = 0;
    unsigned waiting_ = 0;
    // Taken from the pool in bulk and never put back by the sender: the pool's other side is the receiver's.
    std::array<rte_mbuf*, kBurst> blanks_{};
    std::array<rte_mbuf*, kBurst> staged_{};
};

}  // namespace millrace::net
