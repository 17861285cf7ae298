#pragma once
// One host: a whole Stack, from Ethernet up, with its pools, its clock and a port that keeps what it was
// given for a while. The stack below TCP costs a simulation little (ARP's two packets, some tens of
// nanoseconds a frame), and so every frame on the wire is real and every checksum is computed and verified.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "netstack/stack/stack.h"
#include "tests/sim/invariants.h"
#include "tests/sim/nic.h"
#include "tests/sim/scenario.h"
#include "tests/sim/stream.h"

namespace millrace::sim {

class Talker;

// Pools by their sizes, made once and used by one simulation after another.
class PoolCache {
  public:
    std::shared_ptr<net::StackPools> stack(unsigned host, const HostPlan& plan);
    net::Pool& receive(unsigned host, const HostPlan& plan);
    // After a failure that may have left mbufs behind.
    void clear();

  private:
    std::map<std::array<unsigned, 4>, std::shared_ptr<net::StackPools>> stack_;
    std::map<std::array<unsigned, 3>, net::Pool> receive_;
};

class Host {
  public:
    Host(const Scenario& scenario, unsigned number, PoolCache& pools);
    ~Host();

    static net::SocketAddress address(bool ipv6, unsigned host) {
        if (ipv6) return {net::IpAddress{0xfd00'0000'0000'0000, 1 + host}, 80};
        return {net::Ipv4{0x0a000001 + host}, 80};
    }
    static net::MacAddress mac(unsigned host) {
        return {{0x02, 0, 0, 0, 0, static_cast<std::uint8_t>(host + 1)}};
    }

    // The stack begins, or ends and begins anew.
    void boot();
    void shut_down();
    net::Stack& stack() { return *stack_; }
    tcp::Tcp& tcp() { return stack_->tcp(); }
    tcp::Inspector& inspector() { return *inspector_; }
    const HostPlan& plan() const { return plan_; }

    // This host's clock.
    Time local(Duration now) const { return Time{} + epoch_ + now; }
    void set_epoch(Duration epoch) { epoch_ = epoch; }
    void jump(Duration by) { epoch_ += by; }
    // When the stack next has something to do; nothing when it is at rest.
    std::optional<Duration> next(Duration now) const;

    // A frame arrives: false when the port has no mbuf for it. It reaches the stack with receive().
    bool arrive(std::span<const std::byte> frame);
    bool has_room() const { return arrived_.size() < net::Stack::kBurst; }
    void receive(Duration now);
    // What the port makes of a packet that the stack has sent; the port keeps the mbufs.
    std::vector<Bytes> transmit(rte_mbuf* packet);

    void begin_drought(const Drought& drought);
    void end_drought(PoolKind pool);

    // The message of the broadcast that begins at `position`; empty when the pool is dry. The last few are
    // kept, for those who are not as far yet.
    tcp::Shared broadcast(const Stream& stream, std::uint64_t position, std::size_t bytes);

    // What the port, the troubles and the broadcast hold.
    void give_back_all();
    // Mbufs that did not come home.
    unsigned missing() const;

    // Who talks on each connection.
    std::vector<Talker*> talkers;
    Duration last_poll{-1};

  private:
    rte_mempool* pool(PoolKind kind) const;

    const HostPlan& plan_;
    std::vector<net::SocketAddress> addresses_;  // one of each family that is spoken
    unsigned number_;
    std::uint64_t boots_ = 0;
    std::shared_ptr<net::StackPools> pools_;
    net::Pool& receive_pool_;
    net::Rss rss_{1};
    std::unique_ptr<net::Stack> stack_;
    std::optional<tcp::Inspector> inspector_;
    Duration epoch_{};
    std::vector<rte_mbuf*> arrived_;
    std::deque<rte_mbuf*> port_;
    std::array<std::vector<rte_mbuf*>, 3> withheld_;
    std::map<std::uint64_t, tcp::Shared> messages_;  // by their positions
};

}  // namespace millrace::sim
