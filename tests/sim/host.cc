#include "tests/sim/host.h"

#include <cstring>

#include "tests/sim/failure.h"
#include "tests/sim/random.h"

namespace millrace::sim {
namespace {

constexpr Duration kSpin = 1ms;

template <class T>
T made(Expected<T> thing) {
    if (!thing) throw Failure{thing.error().message};
    return std::move(*thing);
}

}  // namespace

std::shared_ptr<net::StackPools> PoolCache::stack(unsigned host, unsigned data_mbufs, unsigned header_mbufs) {
    auto& pools = stack_[{host, data_mbufs, header_mbufs}];
    if (!pools) {
        net::StackConfig config;
        config.data_mbufs = data_mbufs;
        config.header_mbufs = header_mbufs;
        pools = made(net::StackPools::create(config, config.tcp.mtu));
    }
    return pools;
}

net::Pool& PoolCache::receive(unsigned host, unsigned mbufs) {
    const std::array key{host, mbufs};
    auto found = receive_.find(key);
    if (found == receive_.end())
        found = receive_.emplace(key, made(net::Pool::create({.purpose = "receive", .mbufs = mbufs}))).first;
    return found->second;
}

void PoolCache::clear() {
    stack_.clear();
    receive_.clear();
}

Host::Host(const Scenario& scenario, unsigned number, PoolCache& pools)
    : plan_(scenario.hosts[number]),
      address_(address(scenario, number)),
      number_(number),
      pools_(pools.stack(number, plan_.data_mbufs, plan_.header_mbufs)),
      receive_pool_(pools.receive(number, plan_.receive_mbufs)) {
    boot();
}

Host::~Host() {
    shut_down();
}

void Host::boot() {
    net::StackConfig config;
    config.addresses = {{.first = address_.ip,
                         .count = 1,
                         .prefix = static_cast<std::uint8_t>(address_.ip.is_v4() ? 24 : 64)}};
    config.neighbours.max_entries = 16;
    config.neighbours.max_waiting = 64;
    config.tcp = plan_.tcp;
    if (boots_++ > 0) config.tcp.secret[0] += boots_;
    stack_ = made(net::Stack::create(config,
                                     {.mac = mac(number_),
                                      .mtu = plan_.mtu,
                                      .offloads = {.transmit_chains = plan_.port_takes_chains},
                                      .rss = &rss_},
                                     pools_));
    inspector_.emplace(tcp());
    if (!tcp().listen(address_)) throw Failure{"no listener"};
    talkers.assign(tcp().max_connections(), nullptr);
    over_at_once.assign(tcp().max_connections(), false);
}

void Host::shut_down() {
    give_back_all();
    stack_.reset();
}

void Host::give_back_all() {
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
    std::memcpy(rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.size())), frame.data(),
                frame.size());
    arrived_.push_back(packet);
    return true;
}

void Host::receive(Duration now) {
    stack_->receive(arrived_, local(now));
    arrived_.clear();
}

std::span<const std::byte> Host::transmit(rte_mbuf* frame) {
    frame_.resize(frame->pkt_len);
    std::size_t at = 0;
    for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
        std::memcpy(frame_.data() + at, rte_pktmbuf_mtod(part, const void*), part->data_len);
        at += part->data_len;
    }
    require(at == frame->pkt_len, "a frame's parts are not its length");
    port_.push_back(frame);
    while (port_.size() > plan_.port_keeps) {
        rte_pktmbuf_free(port_.front());
        port_.pop_front();
    }
    return frame_;
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
