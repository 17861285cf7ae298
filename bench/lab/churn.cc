#include "bench/lab/churn.h"

#include <algorithm>

#include "bench/lab/client.h"
#include "bench/lab/options.h"

namespace millrace::bench {

namespace {

// Enough to keep both ends busy, few enough that neither the wire nor the half-open bound overflows.
constexpr std::uint64_t kUnderWay = 512;
constexpr unsigned kPerPoll = 32;

}  // namespace

ChurnStage::ChurnStage(net::SocketAddress server, const LabOptions& options)
    : server_(server), warm_up_(std::min<Duration>(200ms, options.duration)), duration_(options.duration) {}

void ChurnStage::begin(Talker& talker, Time now) {
    target_ = talker.endpoint().add_target<LabClient>({.host = net::to_string(server_), .path = "/echo"});
    held_ = talker.endpoint().connections();
    phase_began_ = now;
    patience_.begin(now);
}

// A connection counts as under way until its slot is free: that is what bounds those that are ending.
void ChurnStage::open_some(Talker& talker, Time now) {
    for (unsigned n = 0; n < kPerPoll && talker.endpoint().connections() < held_ + kUnderWay; ++n) {
        if (talker.endpoint().connect(server_, target_, now) == net::kNoConn)
            return;  // tried again next poll
        ++under_way_;
    }
}

bool ChurnStage::tick(Talker& talker, Time now) {
    const bool stuck = patience_.is_over(rounds_, now);
    switch (phase_) {
        case Phase::kWarmUp:
            open_some(talker, now);
            if (now - phase_began_ < warm_up_) return false;
            phase_ = Phase::kMeasure;
            phase_began_ = now;
            counted_ = rounds_;
            return false;
        case Phase::kMeasure:
            open_some(talker, now);
            // A machine that gives us no time is waited for: there is no figure without a round.
            if (now - phase_began_ < duration_ || (rounds_ == counted_ && !stuck)) return false;
            phase_ = Phase::kFinish;
            counted_ = rounds_ - counted_;
            measured_ = now - phase_began_;
            return false;
        case Phase::kFinish:
            break;
    }
    if (talker.endpoint().connections() > held_ && !stuck) return false;
    left_ = under_way_;
    return true;
}

void ChurnStage::on_open(Talker& talker, ClientSocket& ws) {
    if (talker.say(ws) == SendStatus::kSent) return;
    ws.close(ws::CloseCode::kNormal, "");
}

void ChurnStage::on_message(Talker& talker, ClientSocket& ws, const Message& message) {
    talker.hear(ws, message);  // counts what is not right
    ws.close(ws::CloseCode::kNormal, "");
}

void ChurnStage::on_close(ClientSocket& ws, ws::CloseCode code) {
    --under_way_;
    if (ws.state().heard != 1)
        ++failures_["closed without an echo"];
    else if (code != ws::CloseCode::kNormal)
        ++failures_["no closing handshake"];
    else
        ++rounds_;
}

void ChurnStage::on_failed(std::string_view why) {
    --under_way_;
    ++failures_[std::string(why)];
}

ChurnResult churn_result(std::span<const std::unique_ptr<ClientShard>> clients) {
    ChurnResult result;
    for (const auto& client : clients) {
        const ChurnStage& stage = client->churn();
        const double seconds = std::chrono::duration<double>(stage.measured()).count();
        result.seconds = std::max(result.seconds, seconds);
        result.rounds += stage.rounds();
        if (seconds > 0) result.rate_per_s += static_cast<double>(stage.rounds()) / seconds;
        for (const auto& [why, count] : stage.failures()) {
            result.failed += count;
            result.failed_because[why] += count;
        }
        if (stage.left() == 0) continue;
        result.failed += stage.left();
        result.failed_because["no end for 30 s"] += stage.left();
    }
    return result;
}

}  // namespace millrace::bench
