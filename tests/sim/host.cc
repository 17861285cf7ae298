#include "tests/sim/host.h"

#include <algorithm>
#include <cstring>

#include "tests/sim/failure.h"
#include "tests/sim/random.h"

namespace millrace::sim {
namespace {

constexpr Duration kSpin = 1ms;
constexpr std::uint16_t kJumboMtu = 9000;
constexpr std::size_t kMessagesKept = 4;

template <class T>
T made(Expected<T> thing) {
    if (!thing) throw Failure{thing.error().message};
    return std::move(*thing);
}

}  // namespace

std::shared_ptr<net::StackPools> PoolCache::stack(unsigned host, const HostPlan& plan) {
    auto& pools = stack_[{host, plan.data_mbufs, plan.header_mbufs, plan.jumbo}];
    if (!pools) {
        net::StackConfig config;
        config.data_mbufs = plan.data_mbufs;
        config.header_mbufs = plan.header_mbufs;
        pools = made(net::StackPools::create(config, plan.jumbo ? kJumboMtu : config.tcp.mtu));
    }
    return pools;
}

// A frame lies in one mbuf, as a port sets its pools up.
net::Pool& PoolCache::receive(unsigned host, const HostPlan& plan) {
    const std::array<unsigned, 3> key{host, plan.receive_mbufs, plan.jumbo};
    auto found = receive_.find(key);
    if (found == receive_.end()) {
        net::PoolOptions options{.purpose = "receive", .mbufs = plan.receive_mbufs};
        if (plan.jumbo) options.data_room = RTE_PKTMBUF_HEADROOM + net::kEthernetBytes + kJumboMtu;
        found = receive_.emplace(key, made(net::Pool::create(options))).first;
    }
    return found->second;
}

void PoolCache::clear() {
    stack_.clear();
    receive_.clear();
}

Host::Host(const Scenario& scenario, unsigned number, PoolCache& pools)
    : plan_(scenario.hosts[number]),
      number_(number),
      pools_(pools.stack(number, plan_)),
      receive_pool_(pools.receive(number, plan_)) {
    if (scenario.ipv4) addresses_.push_back(address(false, number));
    if (scenario.ipv6) addresses_.push_back(address(true, number));
    boot();
}

Host::~Host() {
    shut_down();
}

void Host::boot() {
    net::StackConfig config;
    for (const auto& [ip, port] : addresses_)
        config.addresses.push_back(
            {.first = ip, .count = 1, .prefix = static_cast<std::uint8_t>(ip.is_v4() ? 24 : 64)});
    config.neighbours.tentative = {};
    config.neighbours.max_entries = 16;
    config.neighbours.max_waiting = 64;
    config.tcp = plan_.tcp;
    if (boots_++ > 0) config.tcp.secret[0] += boots_;
    stack_ = made(net::Stack::create(
        config, {.mac = mac(number_), .mtu = plan_.mtu, .offloads = plan_.offloads, .rss = &rss_}, pools_));
    inspector_.emplace(tcp());
    for (const net::SocketAddress& address : addresses_)
        if (!tcp().listen(address)) throw Failure{"no listener"};
    talkers.assign(tcp().max_connections(), nullptr);
}

void Host::shut_down() {
    give_back_all();
    stack_.reset();
}

void Host::give_back_all() {
    messages_.clear();
    for (rte_mbuf* frame : arrived_)
        rte_pktmbuf_free(frame);
    arrived_.clear();
    for (rte_mbuf* frame : port_)
        rte_pktmbuf_free(frame);
    port_.clear();
    for (const PoolKind kind : {PoolKind::kData, PoolKind::kHeaders, PoolKind::kReceive})
        end_drought(kind);
}

std::optional<Duration> Host::next(Duration now) const {
    if (!arrived_.empty()) return now;
    const Time at = stack_->next_timer();
    if (at == kNever) return std::nullopt;
    // A writer that waits for mbufs asks to be polled at once, again and again.
    return std::max(at, local(now) + kSpin) - local(Duration{});
}

bool Host::arrive(std::span<const std::byte> frame) {
    rte_mbuf* packet = rte_pktmbuf_alloc(receive_pool_.get());
    if (packet == nullptr) return false;
    char* const room = rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.size()));
    require(room != nullptr, "a frame is longer than the port's mbufs");
    std::memcpy(room, frame.data(), frame.size());
    arrived_.push_back(packet);
    return true;
}

void Host::receive(Duration now) {
    stack_->receive(arrived_, local(now));
    arrived_.clear();
}

std::vector<Bytes> Host::transmit(rte_mbuf* packet) {
    std::vector<Bytes> frames = on_the_wire(packet);
    port_.push_back(packet);
    while (port_.size() > plan_.port_keeps) {
        rte_pktmbuf_free(port_.front());
        port_.pop_front();
    }
    return frames;
}

tcp::Shared Host::broadcast(const Stream& stream, std::uint64_t position, std::size_t bytes) {
    const auto found = messages_.find(position);
    if (found != messages_.end()) return found->second;
    std::vector<std::byte> message(bytes);
    stream.write(position, message);
    tcp::Shared shared = tcp().make_shared(message);
    if (!shared) {
        messages_.clear();
        return shared;
    }
    if (messages_.size() == kMessagesKept) messages_.erase(messages_.begin());
    return messages_.emplace(position, std::move(shared)).first->second;
}

rte_mempool* Host::pool(PoolKind kind) const {
    switch (kind) {
        case PoolKind::kData:
            return pools_->data.get();
        case PoolKind::kHeaders:
            return pools_->headers.get();
        case PoolKind::kReceive:
            break;
    }
    return receive_pool_.get();
}

void Host::begin_drought(const Drought& drought) {
    rte_mempool* const from = pool(drought.pool);
    while (rte_mempool_avail_count(from) > drought.left) {
        rte_mbuf* taken = rte_pktmbuf_alloc(from);
        if (taken == nullptr) return;
        withheld_[static_cast<unsigned>(drought.pool)].push_back(taken);
    }
}

void Host::end_drought(PoolKind kind) {
    auto& withheld = withheld_[static_cast<unsigned>(kind)];
    for (rte_mbuf* packet : withheld)
        rte_pktmbuf_free(packet);
    withheld.clear();
}

unsigned Host::missing() const {
    return rte_mempool_in_use_count(pools_->data.get()) + rte_mempool_in_use_count(pools_->headers.get()) +
           rte_mempool_in_use_count(receive_pool_.get());
}

}  // namespace millrace::sim
