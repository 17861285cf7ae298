// A bad wire between two ports: forwards frames both ways, and loses, doubles, reorders, damages and delays
// them as a seed says.
//
//     forwarder --eal "ARGS" --port DEVICE --port DEVICE --seed N --lose P --duplicate P --reorder P ...
//
// Probabilities are those of one frame. With --vlan it is a switch as well, whose second port is a trunk:
// what goes out there is tagged, and what comes in there goes on if it has that tag, and without it. Says
// "ready" on standard error; SIGTERM ends it, and it prints what it has done as one line of JSON.

#include <rte_ether.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "netstack/eal/eal.h"
#include "netstack/port/faults.h"
#include "netstack/port/port.h"
#include "netstack/port/wire.h"

namespace millrace::interop {
namespace {

struct ForwarderOptions {
    std::string eal;
    std::vector<std::string> ports;
    std::uint16_t vlan = 0;  // none
    net::CableFaults faults;
};

std::atomic<bool> g_end{false};

// From one port to the other.
class Way {
  public:
    enum Direction : std::uint8_t { kToTrunk, kFromTrunk };

    Way(net::Port& from, net::Port& to, net::Wire& wire, const ForwarderOptions& options, Direction direction)
        : from_(&from.queue(0)),
          to_(&to.queue(0)),
          wire_(&wire),
          stage_(options.faults, direction),
          vlan_(options.vlan),
          direction_(direction) {}

    // False when nothing has come.
    bool turn() {
        std::array<rte_mbuf*, 32> burst;
        const unsigned n = from_->receive(burst);
        for (rte_mbuf* frame : std::span(burst).first(n)) {
            if (vlan_ == 0 || retag(frame)) {
                while (!stage_.put(*wire_, frame, 0))
                    flush();
                ++forwarded_;
            }
            rte_pktmbuf_free(frame);
        }
        stage_.turn(*wire_);
        flush();
        return n != 0;
    }

    nlohmann::json json() const {
        const net::FaultCounters& c = stage_.counters();
        return {{"frames", forwarded_},
                {"lost", c.lost.value()},
                {"duplicated", c.duplicated.value()},
                {"reordered", c.reordered.value()},
                {"corrupted", c.corrupted.value()},
                {"delayed", c.delayed.value()}};
    }

  private:
    // False when the frame goes no further. Our own code for tags is what is tested here: DPDK's is another.
    bool retag(rte_mbuf*& frame) const {
        if (direction_ == kFromTrunk) return rte_vlan_strip(frame) == 0 && frame->vlan_tci == vlan_;
        frame->vlan_tci = vlan_;
        return rte_vlan_insert(&frame) == 0;
    }

    void flush() {
        wire_->flush([this](rte_mbuf** frames, std::uint16_t n) { return to_->transmit({frames, n}); });
    }

    net::PortQueue* from_;
    net::PortQueue* to_;
    net::Wire* wire_;
    net::FaultStage stage_;
    std::uint16_t vlan_;
    Direction direction_;
    std::uint64_t forwarded_ = 0;
};

Expected<ForwarderOptions> parse(int argc, char** argv) {
    ForwarderOptions options;
    CLI::App app{"A bad wire between two ports", "forwarder"};
    app.add_option("--eal", options.eal)->required();
    app.add_option("--port", options.ports)
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--vlan", options.vlan);
    app.add_option("--seed", options.faults.seed);
    app.add_option("--lose", options.faults.lose);
    app.add_option("--duplicate", options.faults.duplicate);
    app.add_option("--reorder", options.faults.reorder);
    app.add_option("--corrupt", options.faults.corrupt);
    app.add_option("--delay", options.faults.delay);
    app.add_option("--delay-turns", options.faults.delay_turns);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    if (options.ports.size() != 2) return fail("give two ports");
    return options;
}

Expected<void> run(const ForwarderOptions& options) {
    auto eal = net::Eal::start({.cpus = {net::allowed_cpus().back()}, .args = options.eal});
    if (!eal) return tl::unexpected(eal.error());
    std::vector<net::Port> ports;
    for (const std::string& device : options.ports) {
        auto port = net::Port::open({.device = device});
        if (!port) return tl::unexpected(port.error());
        rte_eth_promiscuous_enable(port->id());
        ports.push_back(std::move(*port));
    }
    auto there_wire = net::Wire::create({}), back_wire = net::Wire::create({});
    if (!there_wire || !back_wire) return fail("no memory for the wires: give EAL more with -m");
    Way there(ports[0], ports[1], **there_wire, options, Way::kToTrunk);
    Way back(ports[1], ports[0], **back_wire, options, Way::kFromTrunk);
    std::signal(SIGTERM, [](int) { g_end.store(true); });
    std::fprintf(stderr, "ready\n");
    eal->launch(0, [&] {
        while (!g_end.load(std::memory_order_relaxed)) {
            const bool busy_there = there.turn(), busy_back = back.turn();
            // The ends have the first claim to the processors.
            if (!busy_there && !busy_back) std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
    });
    eal->join(0);
    std::printf("%s\n", nlohmann::json{there.json(), back.json()}.dump().c_str());
    return {};
}

}  // namespace
}  // namespace millrace::interop

int main(int argc, char** argv) {
    using namespace millrace;
    const auto options = interop::parse(argc, argv);
    const auto ran = options ? interop::run(*options) : tl::unexpected(options.error());
    if (ran) return 0;
    std::fprintf(stderr, "forwarder: %s\n", ran.error().message.c_str());
    return 2;
}
