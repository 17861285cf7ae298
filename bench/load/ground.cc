#include "bench/load/ground.h"

#include <thread>
#include <vector>

#include "bench/load/shard.h"
#include "engine/run/server_dpdk.h"
#include "engine/run/server_uring.h"
#include "engine/tls/tls_carrier.h"
#include "netstack/eal/eal.h"

namespace millrace::bench {

namespace {

template <class C>
void turn(C& carrier, const LoadPlan& plan, unsigned index, LoadDesk& desk, const std::atomic<bool>& stop) {
    auto shard = LoadShard<C>::create(carrier, plan, plan.first_shard + index, desk);
    if (!shard) return desk.ready.set_value(tl::unexpected(shard.error()));
    desk.ready.set_value({});
    while (!stop.load(std::memory_order_relaxed))
        (*shard)->iterate();
}

// On the shard's own thread. Connections without TLS do not pass through it.
template <class C>
void run_shard(C& carrier, const LoadPlan& plan, unsigned index, LoadDesk& desk,
               const std::atomic<bool>& stop) {
    if (!plan.options.url.secure) return turn(carrier, plan, index, desk, stop);
    auto secured = tls::TlsCarrier<C>::create(carrier, {});
    if (!secured) return desk.ready.set_value(tl::unexpected(secured.error()));
    turn(**secured, plan, index, desk, stop);
}

class UringLoadGround : public LoadGround {
  public:
    UringLoadGround(const LoadPlan& plan, std::span<LoadDesk> desks) {
        for (unsigned i = 0; i < desks.size(); ++i)
            threads_.emplace_back([this, &plan, i, &desk = desks[i]] { run(plan, i, desk); });
    }
    ~UringLoadGround() override {
        stop_.store(true, std::memory_order_relaxed);
        for (std::thread& thread : threads_)
            thread.join();
    }
    std::string carrier() const override { return "uring"; }
    std::string eal_arguments() const override { return {}; }

  private:
    void run(const LoadPlan& plan, unsigned index, LoadDesk& desk) {
        pin_to_cpu(plan.options.cores[index]);
        net::UringConfig config = uring_config(plan.options);
        config.first_source = plan.options.first_source;
        config.last_source = plan.options.last_source;
        auto carrier = net::UringCarrier::create(config);
        if (!carrier) return desk.ready.set_value(tl::unexpected(carrier.error()));
        run_shard(**carrier, plan, index, desk, stop_);
    }

    std::atomic<bool> stop_{false};
    std::vector<std::thread> threads_;
};

class DpdkLoadGround : public LoadGround {
  public:
    DpdkLoadGround(std::unique_ptr<DpdkGround> ground, const LoadPlan& plan, std::span<LoadDesk> desks)
        : ground_(std::move(ground)), shards_(static_cast<unsigned>(desks.size())) {
        for (unsigned i = 0; i < shards_; ++i)
            ground_->eal.launch(i, [this, &plan, i, &desk = desks[i]] {
                net::DpdkCarrier& carrier = *ground_->carriers[i];
                carrier.claim_addresses(TscClock());
                run_shard(carrier, plan, i, desk, stop_);
            });
    }
    ~DpdkLoadGround() override {
        stop_.store(true, std::memory_order_relaxed);
        for (unsigned i = 0; i < shards_; ++i)
            ground_->eal.join(i);
    }
    std::string carrier() const override { return "dpdk"; }
    std::string eal_arguments() const override { return ground_->eal.arguments(); }

  private:
    std::unique_ptr<DpdkGround> ground_;
    unsigned shards_;
    std::atomic<bool> stop_{false};
};

}  // namespace

Expected<std::unique_ptr<LoadGround>> lay_load_ground(const LoadPlan& plan, std::span<LoadDesk> desks) {
    if (plan.options.net == Net::kUring) {
        if (auto checked = net::check_cpus(plan.options.cores); !checked)
            return tl::unexpected(checked.error());
        return std::make_unique<UringLoadGround>(plan, desks);
    }
    auto ground = DpdkGround::lay(plan.options);
    if (!ground) return tl::unexpected(ground.error());
    return std::make_unique<DpdkLoadGround>(std::move(*ground), plan, desks);
}

}  // namespace millrace::bench
