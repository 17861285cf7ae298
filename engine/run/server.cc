#include "engine/run/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <thread>

#include "engine/options/units.h"
#include "engine/run/quoted.h"
#include "engine/run/www.h"

namespace millrace {
namespace {

constexpr Duration kLook = 50ms;  // how often the main thread looks whether the shards have ended

bool all_ended(const std::vector<ShardStatus>& shards) {
    return std::all_of(shards.begin(), shards.end(),
                       [](const ShardStatus& shard) { return shard.ended.load(); });
}

// What the shards have refused since this was last called: a line each on standard error.
void say_refusals(std::vector<ShardStatus>& shards) {
    Refusal refusal;
    for (ShardStatus& shard : shards)
        while (shard.refusals.pop(refusal)) {
            std::string line =
                fmt::format("millrace: refused peer={} status={} reason={}", net::to_string(refusal.peer),
                            refusal.status, quoted(refusal.why.view()));
            if (refusal.path.size != 0) line += " path=" + quoted(refusal.path.view());
            if (refusal.origin.size != 0) line += " origin=" + quoted(refusal.origin.view());
            if (refusal.untold != 0) line += fmt::format(" untold_before={}", refusal.untold);
            fmt::print(stderr, "{}\n", line);
        }
}

// Certificates and keys from their files again, for all shards or for none: what cannot be used leaves the
// old ones in place.
void renew_certificates(const ServeOptions& options, std::vector<ShardStatus>& shards) {
    std::vector<std::unique_ptr<tls::ServerContext>> fresh(shards.size());
    for (auto& context : fresh) {
        auto made = tls::ServerContext::create(options.tls, options.tickets);
        if (!made) {
            fmt::print(stderr, "millrace: the certificates in use stay, for the new ones are of no use: {}\n",
                       made.error().message);
            return;
        }
        context = std::move(*made);
    }
    for (std::size_t i = 0; i < shards.size(); ++i)
        while (!shards[i].ended.load() && !shards[i].contexts.put(fresh[i]))
            std::this_thread::sleep_for(kLook);  // it has not taken those of the signal before
    fmt::print(stderr, "millrace: the certificates have been read again\n");
}

// Until the first signal that ends, or all shards have.
void await_end(const ServeOptions& options, std::vector<ShardStatus>& shards) {
    while (!all_ended(shards)) {
        say_refusals(shards);
        const Signal signal = wait_for_signal(kLook);
        if (signal == Signal::kEnd) return;
        if (signal == Signal::kReload) renew_certificates(options, shards);
    }
}

}  // namespace

void announce(const std::vector<ListenAddress>& listen) {
    for (const ListenAddress& address : listen)
        std::fprintf(stderr, "millrace: listening on %s\n", to_url(address).c_str());
}

void report_shard(unsigned shard, unsigned core, const EndpointCounters& counters) {
    fmt::print(stderr, "millrace: shard {} on core {} opened {} WebSockets and received {} messages\n", shard,
               core, counters.opened.value(), counters.messages_received.value());
}

Expected<void> check_memory(const ServeOptions& options, std::size_t bytes, std::uint64_t available) {
    if (!options.take_memory) return {};
    const std::size_t shards = options.cores.size();
    const std::uint64_t wanted = std::uint64_t{options.max_connections} * shards * bytes;
    if (wanted <= available) return {};
    return fail(fmt::format(
        "--max-connections {} takes {} for idle connections on {} shard{}, and {} of memory is available: "
        "lower it to {} or less, or free memory",
        options.max_connections, format_bytes(static_cast<double>(wanted)), shards, shards == 1 ? "" : "s",
        format_bytes(static_cast<double>(available)), available / bytes / shards));
}

int say_error(const Error& error) {
    fmt::print(stderr, "millrace: {}\n", error.message);
    return 2;
}

Expected<void> add_www(const ServeOptions& options, std::vector<Page>& pages) {
    constexpr std::size_t kMostBytes = 256u << 20;
    if (options.www.empty()) return {};
    auto files = load_pages(options.www, options.endpoint.max_message, kMostBytes);
    if (!files) return tl::unexpected(files.error());
    pages.insert(pages.begin(), std::make_move_iterator(files->begin()),
                 std::make_move_iterator(files->end()));
    return {};
}

void advise(std::string_view hint) {
    fmt::print(stderr, "millrace: {}\n", hint);
}

Expected<void> supervise(ServeOptions& options, ShardControl& control, std::vector<ShardStatus>& shards) {
    Expected<void> result;
    for (ShardStatus& shard : shards) {
        auto ready = shard.ready.get_future().get();
        if (!ready && result) result = ready;
    }
    if (!result) {
        control.stop.store(true);
        return result;
    }
    options.tickets = tls::TicketKeys();  // from the first secret all later ones follow
    announce(options.listen);

    await_end(options, shards);
    control.drain.store(true);
    for (Duration waited{}; !all_ended(shards) && waited < options.drain_timeout; waited += kLook)
        if (wait_for_end_signal(kLook)) break;
    say_refusals(shards);
    control.stop.store(true);
    return result;
}

}  // namespace millrace
