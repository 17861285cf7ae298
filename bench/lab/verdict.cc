#include "bench/lab/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/result/table.h"
#include "bench/timing/judge.h"

namespace millrace::bench {

void judge(Result& result, const ServerTotals& server, std::uint64_t corrupted,
           std::uint64_t connections_lost) {
    const auto check = [&result](std::uint64_t count, std::string_view what) {
        if (count != 0) result.invalid_because.push_back(fmt::format("{} {}", with_commas(count), what));
    };
    if (result.connect) check(result.connect->failed, "connections failed to open");
    if (result.hold) {
        check(result.hold->lost, "connections did not echo their message");
        check(result.hold->pings - std::min(result.hold->pings, result.hold->pongs),
              "pings were not answered");
    }
    if (result.echo) {
        check(result.echo->lost, "messages of the echo stage were lost");
        if (result.echo->messages == 0)
            result.invalid_because.push_back("the echo stage verified no message");
        if (result.echo->server_verified_bytes != result.echo->verified_bytes)
            result.invalid_because.push_back(fmt::format(
                "server and client disagree about the echo stage: {} and {} bytes verified",
                with_commas(result.echo->server_verified_bytes), with_commas(result.echo->verified_bytes)));
    }
    if (result.latency) {
        check(result.latency->lost, "messages of the latency stage were lost");
        check(result.latency->unsent, "messages of the latency stage found no room and were not sent");
        if (result.latency->requested_per_s > 0) {
            const bool poisson = result.latency->mode == open_loop_name(Arrivals::kPoisson);
            judge_rate(result.latency->rate_per_s, result.latency->requested_per_s, result.latency->seconds,
                       poisson ? Arrivals::kPoisson : Arrivals::kConstant, result.invalid_because);
            judge_lag(result.latency->send_lag_ns, result.latency->rtt_ns, result.invalid_because);
        }
        if (result.latency->sent == 0) result.invalid_because.push_back("the latency stage sent no message");
    }
    if (result.scatter) {
        check(result.scatter->lost, "messages of the scatter stage were lost");
        if (result.scatter->messages == 0)
            result.invalid_because.push_back("the scatter stage verified no message");
    }
    if (result.fanout) {
        check(result.fanout->failed, "connections did not become subscribers");
        check(result.fanout->gaps, "deliveries of the fanout stage were lost");
        check(result.fanout->wrong, "deliveries were changed, doubled or out of order");
        check(result.fanout->ended, "subscribers were lost during the run");
        check(result.fanout->refused, "publications were refused");
        if (result.fanout->single.deliveries == 0)
            result.invalid_because.push_back("the fanout stage verified no delivery");
    }
    if (result.churn) {
        check(result.churn->failed, "connections of the churn stage failed");
        if (result.churn->rounds == 0)
            result.invalid_because.push_back("the churn stage completed no connection");
    }
    if (result.close)
        check(result.close->connections - std::min(result.close->connections, result.close->closed),
              "connections had no closing handshake");
    check(corrupted, "messages came back to the client changed");
    check(server.corrupted, "messages arrived at the server changed");
    check(server.refused, "echoes found no room at the server");
    check(connections_lost, "connections were lost during the run");
}

}  // namespace millrace::bench
