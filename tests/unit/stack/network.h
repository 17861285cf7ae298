#pragma once
// Two ends joined by a cable, each of any number of shards, all run by the calling thread in turns, in
// virtual time.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "netstack/port/cable.h"
#include "netstack/port/steering.h"
#include "netstack/stack/dpdk_carrier.h"

namespace millrace::net::test {

// The shards of one end.
class End {
  public:
    using Handler = std::function<void(DpdkCarrier&, tcp::Event&)>;

    End(Port& port, const StackConfig& config) {
        if (port.queues() > 1) steering_ = *Steering::create(port.rss(), port.offloads().rss, port.mtu());
        for (unsigned shard = 0; shard < port.queues(); ++shard) {
            auto carrier = DpdkCarrier::create(config, port, shard, steering_.get());
            EXPECT_TRUE(carrier) << (carrier ? "" : carrier.error().message);
            shards_.push_back(std::move(*carrier));
        }
    }

    DpdkCarrier& shard(unsigned i) { return *shards_[i]; }
    unsigned shards() const { return static_cast<unsigned>(shards_.size()); }

    void poll(Time now, const Handler& handler) {
        for (auto& carrier : shards_) {
            for (tcp::Event& event : carrier->poll(now))
                handler(*carrier, event);
            carrier->flush(now);
        }
    }
    std::uint64_t counter(std::string_view name) const {
        std::uint64_t sum = 0;
        bool known = false;
        for (const auto& carrier : shards_)
            carrier->visit_counters([&](std::string_view n, std::uint64_t value) {
                if (n != name) return;
                sum += value;
                known = true;
            });
        EXPECT_TRUE(known) << "no counter " << name;
        return sum;
    }
    std::size_t connections() const {
        std::size_t n = 0;
        for (const auto& carrier : shards_)
            n += carrier->connections();
        return n;
    }

  private:
    std::unique_ptr<Steering> steering_;
    std::vector<std::unique_ptr<DpdkCarrier>> shards_;
};

inline StackConfig config_of(std::string_view address) {
    StackConfig config;
    config.addresses = {*parse_local_range(address)};
    config.neighbours.tentative = {};
    config.tcp.max_connections = 4096;
    config.tcp.secret = {1, 2};
    config.data_mbufs = 8192;
    config.header_mbufs = 8192;
    return config;
}

// Appends all of `bytes`, by copy.
inline bool append(DpdkCarrier& carrier, ConnId id, std::span<const std::byte> bytes) {
    if (!carrier.prepare(id, bytes.size())) return false;
    while (!bytes.empty()) {
        const auto room = carrier.room(id);
        const std::size_t n = std::min(room.size(), bytes.size());
        std::copy_n(bytes.begin(), n, room.begin());
        carrier.commit(id, n);
        bytes = bytes.subspan(n);
    }
    return true;
}

}  // namespace millrace::net::test
