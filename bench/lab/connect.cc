#include "bench/lab/connect.h"

#include <algorithm>

#include "bench/lab/client.h"
#include "netstack/base/address.h"

namespace millrace::bench {

namespace {

// Enough to keep both ends busy, few enough that neither the wire nor the half-open bound overflows.
constexpr std::uint64_t kUnderWay = 1024;
// A poll starts no more than it takes from the wire in one burst.
constexpr unsigned kPerPoll = 32;

constexpr const char* kNoSlot = "no local port or connection slot left";
constexpr const char* kNoAnswer = "no answer for 30 s";

}  // namespace

void ConnectStage::begin(Talker& talker, Time now) {
    target_ = talker.endpoint().add_target<LabClient>({.host = net::to_string(server_), .path = "/echo"});
    patience_.begin(now);
    started_ = marked_at_ = now_ = now;
    rates_.reserve(wanted_ / kMark);
}

void ConnectStage::open_some(Talker& talker, Time now) {
    const Progress& progress = talker.progress();
    for (unsigned n = 0; n < kPerPoll && tried_ < wanted_; ++n) {
        if (tried_ - progress.opened.value() - progress.failed.value() >= kUnderWay) return;
        ++tried_;
        if (talker.endpoint().connect(server_, target_, now) == net::kNoConn) on_failed(talker, kNoSlot);
    }
}

bool ConnectStage::tick(Talker& talker, Time now) {
    now_ = now;
    open_some(talker, now);
    finished_ = now;
    const std::uint64_t answered = talker.progress().opened.value() + talker.progress().failed.value();
    if (answered == wanted_) return true;
    if (!patience_.is_over(answered, now)) return false;
    const std::uint64_t unanswered = wanted_ - answered;
    failures_[kNoAnswer] += unanswered;
    talker.progress().failed.add(unanswered);
    return true;
}

void ConnectStage::on_open(Talker& talker) {
    if (talker.progress().opened.value() % kMark != 0) return;
    rates_.push_back(static_cast<double>(kMark) / std::chrono::duration<double>(now_ - marked_at_).count());
    marked_at_ = now_;
}

void ConnectStage::on_failed(Talker& talker, std::string_view why) {
    ++failures_[std::string(why)];
    talker.progress().failed.add(1);
}

ConnectResult connect_result(std::span<const std::unique_ptr<ClientShard>> clients) {
    ConnectResult result;
    Time started = kNever;
    Time finished{};
    for (const auto& client : clients) {
        const ConnectStage& stage = client->connect();
        started = std::min(started, stage.started());
        finished = std::max(finished, stage.finished());
        result.connections += client->progress().opened.value();
        result.failed += client->progress().failed.value();
        for (const auto& [why, count] : stage.failures())
            result.failed_because[why] += count;
        // Shards open side by side: their rates add up.
        if (result.rates_per_s.size() < stage.rates().size()) result.rates_per_s.resize(stage.rates().size());
        for (std::size_t i = 0; i < stage.rates().size(); ++i)
            result.rates_per_s[i] += stage.rates()[i];
    }
    result.seconds = std::chrono::duration<double>(finished - started).count();
    if (result.seconds > 0) result.rate_per_s = static_cast<double>(result.connections) / result.seconds;
    return result;
}

}  // namespace millrace::bench
