#pragma once
// The carrier over DPDK: one shard's stack, its queues of a port, and steering between the port's shards.

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/carrier.h"
#include "netstack/port/port.h"
#include "netstack/port/steering.h"
#include "netstack/stack/stack.h"

namespace millrace::net {

class DpdkCarrier {
  public:
    using Bytes = tcp::Tcp::Bytes;
    using Shared = tcp::Tcp::Shared;

    // The carrier of shard `shard` of `port`. `steering` joins the port's shards; null where there is one. A
    // zero secret in the TCP configuration is replaced by a random one. Port and steering outlive the
    // carrier; it is created on any thread, and used by one from then on.
    static Expected<std::unique_ptr<DpdkCarrier>> create(const StackConfig& config, Port& port,
                                                         unsigned shard, Steering* steering);

    // --- the loop ---
    std::span<tcp::Event> poll(Time now) {
        stack_->begin_poll();
        const unsigned n = receive();
        stack_->receive({burst_.data(), n}, now);
        stack_->run_timers(now);
        return stack_->events();
    }
    void flush(Time now) {
        bool more = true;
        for (unsigned sent = 1; more && sent != 0;) {
            more = stack_->flush(now);
            sent = queue_->transmit(stack_->outgoing());
            stack_->sent(sent);
        }
    }

    // Polls until no address of ours is tentative any more (NeighbourConfig::tentative), before anything else
    // is done: so that listen() fails where another host has the address, and hint() says so.
    template <class Clock>
    void claim_addresses(const Clock& clock) {
        while (stack_->neighbours().asking()) {
            const Time now = clock.now();
            poll(now);
            flush(now);
        }
    }

    // --- connections: see netstack/carrier.h ---
    Expected<void> listen(SocketAddress address) { return tcp().listen(address); }
    void stop_listening() { tcp().stop_listening(); }
    ConnId connect(SocketAddress remote, Time now) { return tcp().connect(remote, now); }
    void close(ConnId id) { tcp().close(id); }
    void abort(ConnId id) { tcp().abort(id); }
    bool prepare(ConnId id, std::size_t bytes) { return tcp().prepare(id, bytes); }
    std::span<std::byte> room(ConnId id) { return tcp().room(id); }
    void commit(ConnId id, std::size_t bytes) { tcp().commit(id, bytes); }
    Shared make_shared(std::span<const std::byte> bytes) { return tcp().make_shared(bytes); }
    bool append(ConnId id, const Shared& shared) { return tcp().append(id, shared); }
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        shared.visit(visitor);
    }
    std::size_t unsent(ConnId id) const { return tcp().unsent(id); }
    void prefetch(ConnId id) const { tcp().prefetch(id); }
    void pause(ConnId id) { tcp().pause(id); }
    void resume(ConnId id) { tcp().resume(id); }
    void set_timer(ConnId id, Time at) { tcp().set_timer(id, at); }
    void cancel_timer(ConnId id) { tcp().cancel_timer(id); }
    SocketAddress peer(ConnId id) const { return tcp().peer(id); }
    SocketAddress local(ConnId id) const { return tcp().local(id); }
    static constexpr std::size_t idle_bytes() {
        return sizeof(tcp::Connection) + tcp::ConnectionTable::kBytesPerEntry;
    }
    void populate(std::size_t connections) { tcp().populate(connections); }
    std::size_t connections() const { return tcp().connections(); }
    std::size_t max_connections() const { return tcp().max_connections(); }
    bool under_pressure() const { return tcp().under_pressure(); }

    // The stack's, and the received packets that it still holds.
    std::size_t memory_in_use() const {
        return stack_->memory_in_use() + port_->receive_bytes_in_use(shard_);
    }
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const;
    // Without those of the port, which a driver may have to ask its device or the kernel for.
    template <class Visitor>
    void visit_own_counters(Visitor&& visitor) const;
    // Advice for the user when something outside was seen to be set badly; empty otherwise.
    std::string hint() const { return stack_->hint(); }

    Stack& stack() { return *stack_; }

  private:
    DpdkCarrier(std::unique_ptr<Stack> stack, Port& port, unsigned shard, Steering* steering)
        : stack_(std::move(stack)),
          port_(&port),
          queue_(&port.queue(shard)),
          steering_(steering ? &steering->shard(shard) : nullptr),
          shard_(shard) {}

    tcp::Tcp& tcp() { return stack_->tcp(); }
    const tcp::Tcp& tcp() const { return stack_->tcp(); }

    unsigned receive() {
        if (!steering_) return queue_->receive(burst_);
        // What others hand over goes first: it has waited longest.
        const unsigned handed = steering_->receive({burst_.data(), Stack::kBurst / 2});
        const unsigned own = queue_->receive(std::span(burst_).subspan(handed));
        return handed + steering_->keep_own({burst_.data() + handed, own});
    }

    std::unique_ptr<Stack> stack_;
    Port* port_;
    PortQueue* queue_;
    ShardSteering* steering_;
    unsigned shard_;
    std::array<rte_mbuf*, Stack::kBurst> burst_{};
};

template <class Visitor>
void DpdkCarrier::visit_own_counters(Visitor&& visitor) const {
    stack_->visit_counters(visitor);
    if (steering_) {
        visitor("SteeringHandedOver", steering_->handed_over());
        visitor("SteeringDrops", steering_->dropped());
    }
}

template <class Visitor>
void DpdkCarrier::visit_counters(Visitor&& visitor) const {
    visit_own_counters(visitor);
    if (shard_ != 0) return;  // the port's own counters are not by shard
    const PortStats port = port_->stats();
    visitor("PortInPackets", port.received);
    visitor("PortOutPackets", port.sent);
    visitor("PortInBytes", port.received_bytes);
    visitor("PortOutBytes", port.sent_bytes);
    visitor("PortInMissed", port.missed);
    visitor("PortInNoMbufs", port.no_mbufs);
    visitor("PortInErrors", port.receive_errors);
    visitor("PortOutErrors", port.send_errors);
}

static_assert(Carrier<DpdkCarrier>);

}  // namespace millrace::net
