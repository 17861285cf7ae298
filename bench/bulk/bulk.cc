#include "bench/bulk/bulk.h"

#include <fmt/format.h>
#include <rte_eal.h>

#include <atomic>
#include <set>
#include <thread>

#include "bench/bulk/receiver.h"
#include "bench/bulk/sender.h"
#include "bench/control/interrupt.h"
#include "bench/result/table.h"
#include "netstack/base/clock.h"
#include "netstack/eal/eal.h"
#include "netstack/port/cable.h"

namespace millrace::bench {

namespace {

using net::Ipv4;

constexpr Ipv4 kReceiver{10u << 24 | 1};
constexpr Ipv4 kSender{10u << 24 | 2};
constexpr std::uint16_t kPort = 9001;
constexpr std::uint8_t kPrefix = 24;
constexpr Duration kWarmUp = 200ms;

// Units of a window, twice over for those that the port still holds, and some.
unsigned data_mbufs(const BulkOptions& options) {
    constexpr std::uint64_t kFew = 1024, kLeastMss = 500;
    return static_cast<unsigned>(2 * options.window / std::max<std::uint64_t>(kLeastMss, options.mtu - 52u) +
                                 kFew);
}

net::StackConfig stack_config(const BulkOptions& options, Ipv4 address) {
    net::StackConfig config;
    config.addresses = {{.first = address, .prefix = kPrefix}};
    config.neighbours.tentative = {};  // nobody else is on the cable
    config.tcp.max_connections = 16;
    config.tcp.send_limit = static_cast<std::uint32_t>(options.window);
    config.tcp.receive_window = static_cast<std::uint32_t>(options.window);
    config.tcp.mtu = options.mtu;
    config.data_mbufs = data_mbufs(options);
    config.header_mbufs = 4096;
    return config;
}

// Everything that one run consists of, in the order in which it is made.
struct Transfer {
    std::optional<net::Eal> eal;
    std::unique_ptr<net::Cable> cable;
    std::unique_ptr<net::DpdkCarrier> sending, receiving;
    Stream stream;
    std::optional<Sender> sender;
    std::optional<Receiver> receiver;

    explicit Transfer(const BulkOptions& options) : stream(options.seed) {}
    Expected<void> set_up(const BulkOptions& options);
    // False when the user ended it.
    bool run(const BulkOptions& options);
};

Expected<void> Transfer::set_up(const BulkOptions& options) {
    const std::set<unsigned> cpus{options.sender_core, options.receiver_core};
    constexpr std::size_t kMemoryMib = 512;
    auto started =
        net::Eal::start({.cpus = {cpus.begin(), cpus.end()}, .args = options.eal, .memory_mib = kMemoryMib});
    if (!started) return tl::unexpected(started.error());
    eal.emplace(std::move(*started));

    auto laid = net::Cable::create({.mtu = options.mtu, .checksum_offload = !options.checksums});
    if (!laid) return tl::unexpected(laid.error());
    cable = std::move(*laid);
    auto from = net::DpdkCarrier::create(stack_config(options, kSender), cable->a(), 0, nullptr);
    if (!from) return tl::unexpected(from.error());
    sending = std::move(*from);
    auto to = net::DpdkCarrier::create(stack_config(options, kReceiver), cable->b(), 0, nullptr);
    if (!to) return tl::unexpected(to.error());
    receiving = std::move(*to);
    if (auto listening = receiving->listen({kReceiver, kPort}); !listening) return listening;

    Plan plan{.bytes = options.bytes};
    if (options.bytes == 0) plan = {.warm_up = kWarmUp, .measured = options.duration};
    sender.emplace(*sending, stream, plan, net::SocketAddress{kReceiver, kPort});
    receiver.emplace(*receiving, stream, plan);
    return {};
}

bool Transfer::run(const BulkOptions& options) {
    std::atomic<bool> stop{false};
    std::atomic<int> ended{0};
    const auto turn_until_over = [&](auto&&... ends) {
        const TscClock clock;
        const auto turn = [&clock](auto& end) { return end.turn(clock.now()); };
        while ((int{turn(ends)} | ...) && !stop.load(std::memory_order_relaxed)) {
        }
        ended.fetch_add(static_cast<int>(sizeof...(ends)));
    };
    if (options.sender_core == options.receiver_core) {
        eal->launch(0, [&] { turn_until_over(*sender, *receiver); });
    } else {
        const unsigned first_sends = options.sender_core < options.receiver_core;
        eal->launch(1 - first_sends, [&] { turn_until_over(*sender); });
        eal->launch(first_sends, [&] { turn_until_over(*receiver); });
    }
    while (ended.load() != 2 && !interrupted())
        std::this_thread::sleep_for(5ms);
    const bool all_ended = ended.load() == 2;
    stop.store(true);
    for (unsigned i = 0; i < eal->workers(); ++i)
        eal->join(i);
    return all_ended;
}

BulkResult bulk_result(const BulkOptions& options, const Sender& sender, const Receiver& receiver) {
    const Meter& sent = sender.meter();
    const Meter& received = receiver.meter();
    BulkResult result{.payload_bytes = received.bytes(),
                      .seconds = received.seconds(),
                      .mtu = options.mtu,
                      .mss = sender.mss(),
                      .window_bytes = options.window,
                      .segments = sent.segments_sent(),
                      .acknowledgments = received.segments_sent(),
                      .retransmits = sent.retransmits(),
                      .corrupted_bytes = receiver.corrupted(),
                      .checksums = options.checksums ? "software" : "none",
                      .sender_busy = sent.busy_share(),
                      .receiver_busy = received.busy_share(),
                      .sender_cpu = sent.cpu_share(),
                      .receiver_cpu = received.cpu_share()};
    result.gbit_per_s = static_cast<double>(result.payload_bytes) * 8 / 1e9 / result.seconds;
    return result;
}

void judge(Result& result, const Sender& sender, const Receiver& receiver) {
    const auto invalid = [&result](std::string because) {
        result.invalid_because.push_back(std::move(because));
    };
    if (sender.reason() != net::CloseReason::kFinished || receiver.reason() != net::CloseReason::kFinished)
        invalid(fmt::format("the connection did not end in order: {} at the sender, {} at the receiver",
                            to_string(sender.reason()), to_string(receiver.reason())));
    if (receiver.corrupted() != 0)
        invalid(fmt::format("{} bytes arrived changed", with_commas(receiver.corrupted())));
    if (receiver.received() != sender.sent())
        invalid(fmt::format("{} bytes were sent and {} received", with_commas(sender.sent()),
                            with_commas(receiver.received())));
    if (receiver.received() == 0) invalid("no byte was transferred");
}

}  // namespace

Expected<Result> run_bulk(const BulkOptions& options, int argc, const char* const* argv) {
    Result result{.program = "millrace-bench bulk", .environment = describe_machine(argc, argv)};
    Environment& environment = result.environment;
    environment.seed = options.seed;
    environment.server_cores = {options.receiver_core};
    environment.client_cores = {options.sender_core};
    environment.checksums = options.checksums;
    if (!options.checksums)
        result.remarks.push_back("checksums were neither computed nor checked, as with a NIC that does both");
    if (options.sender_core == options.receiver_core)
        result.remarks.push_back("sender and receiver share a core: each gets half of it at best");
    catch_interrupts();

    Transfer transfer(options);
    if (auto ready = transfer.set_up(options); !ready) return tl::unexpected(ready.error());
    environment.carrier = "dpdk (cable)";
    environment.eal = transfer.eal->arguments();
    environment.hugepages = rte_eal_has_hugepages() ? "used" : "none";
    if (!transfer.run(options)) {
        result.invalid_because.push_back("interrupted during the transfer");
        return result;
    }
    judge(result, *transfer.sender, *transfer.receiver);
    if (transfer.sender->meter().done() && transfer.receiver->meter().done())
        result.bulk = bulk_result(options, *transfer.sender, *transfer.receiver);
    constexpr double kOwnCore = 0.9;
    if (result.bulk && options.sender_core != options.receiver_core &&
        std::min(result.bulk->sender_cpu, result.bulk->receiver_cpu) < kOwnCore)
        result.remarks.push_back("an end had less than nine tenths of its core: something else ran there");
    const auto add = [&result](const std::string& end, const net::DpdkCarrier& carrier) {
        carrier.visit_counters([&](std::string_view name, std::uint64_t value) {
            result.counters[end][std::string(name)] += value;
        });
    };
    add("server", *transfer.receiving);
    add("client", *transfer.sending);
    return result;
}

}  // namespace millrace::bench
