#include "bench/lab/echo.h"

#include <algorithm>

#include "bench/lab/client.h"
#include "bench/lab/options.h"

namespace millrace::bench {

namespace {

// Connections that begin to talk in one poll: all at once would overflow the wire before the first ACK.
constexpr unsigned kStartPerPoll = 16;

// Every segment that the client's TCP has sent (tcpOutSegs of RFC 4022).
std::uint64_t segments_sent(Talker& talker) {
    std::uint64_t sent = 0;
    talker.endpoint().carrier().visit_counters([&sent](std::string_view name, std::uint64_t value) {
        if (name.ends_with("OutSegs")) sent = value;
    });
    return sent;
}

}  // namespace

EchoStage::EchoStage(const LabOptions& options, std::uint64_t connections)
    : connections_(connections),
      in_flight_(static_cast<std::uint32_t>(options.in_flight)),
      warm_up_(std::min<Duration>(500ms, options.duration)),
      duration_(options.duration) {}

void EchoStage::begin(Talker& talker, Time now) {
    phase_began_ = now;
    verified_bytes_ = talker.verified_bytes();
    corrupted_ = talker.corrupted();
    patience_.begin(now);
}

void EchoStage::fill_up(Talker& talker, ClientSocket& ws) {
    const LabClient::State& state = ws.state();
    while (state.said - state.heard < in_flight_)
        if (talker.say(ws) != SendStatus::kSent) return;  // kFull: on_drain goes on
}

void EchoStage::start_some(Talker& talker) {
    const std::size_t end = std::min<std::size_t>(connections_, next_to_start_ + kStartPerPoll);
    for (; next_to_start_ < end; ++next_to_start_) {
        if (next_to_start_ >= talker.count() || talker.at(next_to_start_) == net::kNoConn) continue;
        ClientSocket ws = talker.socket(next_to_start_);
        fill_up(talker, ws);
    }
}

void EchoStage::begin_measuring(Talker& talker, Time now) {
    phase_ = Phase::kMeasure;
    phase_began_ = now;
    messages_ = talker.verified();
    segments_ = segments_sent(talker);
}

void EchoStage::end_measuring(Talker& talker, Time now) {
    phase_ = Phase::kFinish;
    messages_ = talker.verified() - messages_;
    segments_ = segments_sent(talker) - segments_;
    measured_ = now - phase_began_;
}

bool EchoStage::tick(Talker& talker, Time now) {
    const bool stuck = patience_.is_over(talker.verified(), now);
    switch (phase_) {
        case Phase::kWarmUp:
            start_some(talker);
            if (now - phase_began_ >= warm_up_) begin_measuring(talker, now);
            return false;
        case Phase::kMeasure:
            start_some(talker);
            // A machine that gives us no time is waited for: there is no figure without a message.
            if (now - phase_began_ >= duration_ && (talker.verified() != messages_ || stuck))
                end_measuring(talker, now);
            return false;
        case Phase::kFinish:
            break;
    }
    if (talker.outstanding() != 0 && !stuck) return false;
    lost_ = talker.outstanding();
    verified_bytes_ = talker.verified_bytes() - verified_bytes_;
    corrupted_ = talker.corrupted() - corrupted_;
    return true;
}

void EchoStage::on_message(Talker& talker, ClientSocket& ws, const Message& message) {
    talker.hear(ws, message);
    if (phase_ != Phase::kFinish) talker.say(ws);
}

void EchoStage::on_drain(Talker& talker, ClientSocket& ws) {
    if (phase_ != Phase::kFinish) fill_up(talker, ws);
}

EchoResult echo_result(const LabOptions& options, std::span<const std::unique_ptr<ClientShard>> clients) {
    EchoResult result{.payload_bytes = options.payload, .in_flight = options.in_flight};
    for (const auto& client : clients) {
        const EchoStage& stage = client->echo();
        const double seconds = std::chrono::duration<double>(stage.measured()).count();
        result.connections += stage.connections();
        result.seconds = std::max(result.seconds, seconds);
        result.messages += stage.messages();
        if (seconds > 0) result.messages_per_s += static_cast<double>(stage.messages()) / seconds;
        result.verified_bytes += stage.verified_bytes();
        result.corrupted += stage.corrupted();
        result.lost += stage.lost();
        result.client_segments += stage.segments();
    }
    result.bytes_per_s = result.messages_per_s * static_cast<double>(options.payload);
    return result;
}

}  // namespace millrace::bench
