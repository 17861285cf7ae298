#include "bench/lab/scatter.h"

#include <algorithm>

#include "bench/lab/client.h"
#include "bench/lab/options.h"

namespace millrace::bench {

namespace {

// Messages that begin in one poll: all at once would overflow the wire before the first ACK.
constexpr unsigned kStartPerPoll = 16;

}  // namespace

ScatterStage::ScatterStage(const LabOptions& options, std::uint64_t few, std::uint64_t seed)
    : few_(few),
      under_way_(few * options.in_flight),
      duration_(options.duration),
      slice_(std::clamp<Duration>(options.duration / 10, 5ms, 100ms)),
      random_(static_cast<std::minstd_rand::result_type>(seed)) {}

void ScatterStage::begin(Talker& talker, Time now) {
    all_ = talker.count();
    for (std::size_t i = 0; i < kAhead; ++i)
        ahead_[i] = pick();
    missing_ = under_way_;
    corrupted_ = talker.corrupted();
    began_ = slice_began_ = now;
    patience_.begin(now);
}

std::uint32_t ScatterStage::pick() {
    const std::uint64_t among = slices_ % 2 == 0 ? all_ : few_;
    return static_cast<std::uint32_t>(std::uint64_t{random_()} * among / (random_.max() + std::uint64_t{1}));
}

// The next connection's place is taken by one that is far ahead.
void ScatterStage::pick_ahead(Talker& talker) {
    ahead_[next_] = pick();
    talker.prefetch_id(ahead_[next_]);
    next_ = (next_ + 1) % kAhead;
    talker.prefetch(ahead_[(next_ + kAhead / 2) % kAhead]);
}

void ScatterStage::say_next(Talker& talker) {
    const std::uint32_t i = ahead_[next_];
    pick_ahead(talker);
    if (talker.at(i) == net::kNoConn) return;
    ClientSocket ws = talker.socket(i);
    if (talker.say(ws) == SendStatus::kSent) --missing_;
}

// Every slice counts from when its first tenth is over.
void ScatterStage::turn_over(Talker& talker, Time now) {
    if (!settled_ && now - slice_began_ >= slice_ / 10) {
        settled_ = true;
        slice_began_ = now;
        verified_ = talker.verified();
    }
    // A machine that gives us no time is waited for: there is no figure without a message.
    if (!settled_ || now - slice_began_ < slice_ || talker.verified() == verified_) return;
    Sum& sum = sums_[slices_ % 2];
    sum.messages += talker.verified() - verified_;
    sum.time += now - slice_began_;
    ++slices_;
    settled_ = false;
    slice_began_ = now;
    finishing_ = slices_ % 2 == 0 && now - began_ >= duration_;
}

bool ScatterStage::tick(Talker& talker, Time now) {
    const bool stuck = patience_.is_over(talker.verified(), now);
    if (!finishing_ && !stuck) {
        for (unsigned n = 0; n < kStartPerPoll && missing_ != 0; ++n)
            say_next(talker);
        turn_over(talker, now);
        return false;
    }
    if (talker.outstanding() != 0 && !stuck) return false;
    lost_ = talker.outstanding();
    corrupted_ = talker.corrupted() - corrupted_;
    return true;
}

void ScatterStage::on_message(Talker& talker, ClientSocket& ws, const Message& message) {
    talker.hear(ws, message);
    ++missing_;
    if (!finishing_) say_next(talker);
}

ScatterResult scatter_result(std::span<const std::unique_ptr<ClientShard>> clients) {
    ScatterResult result;
    const auto add = [](double& rate, const ScatterStage::Sum& sum) {
        if (sum.time > Duration::zero())
            rate += static_cast<double>(sum.messages) / std::chrono::duration<double>(sum.time).count();
    };
    for (const auto& client : clients) {
        const ScatterStage& stage = client->scatter();
        result.connections += client->talker().count();
        result.few_connections += stage.few();
        add(result.messages_per_s, stage.among_all());
        add(result.few_messages_per_s, stage.among_few());
        result.messages += stage.among_all().messages;
        result.corrupted += stage.corrupted();
        result.lost += stage.lost();
    }
    if (result.few_messages_per_s > 0) result.ratio = result.messages_per_s / result.few_messages_per_s;
    return result;
}

}  // namespace millrace::bench
