#include "bench/lab/hold.h"

#include <algorithm>

#include "bench/lab/client.h"
#include "bench/lab/permutation.h"

namespace millrace::bench {

namespace {

constexpr std::uint64_t kUnderWay = 256;
constexpr unsigned kPerPoll = 32;

}  // namespace

void HoldStage::begin(Talker& talker, Time now) {
    connections_ = talker.count();
    patience_.begin(now);
}

bool HoldStage::tick(Talker& talker, Time now) {
    const Permutation order(std::max<std::uint64_t>(connections_, 1), seed_);
    for (unsigned n = 0; n < kPerPoll && next_ < connections_ && talker.outstanding() < kUnderWay; ++n) {
        const auto i = static_cast<std::size_t>(order(next_));
        if (talker.at(i) != net::kNoConn) {
            ClientSocket ws = talker.socket(i);
            if (talker.say(ws) == SendStatus::kFull) break;
        }
        ++next_;
    }
    if (next_ == connections_ && talker.outstanding() == 0) {
        if (!held_since_) held_since_ = now;
        return now - *held_since_ >= hold_for_;
    }
    return patience_.is_over(next_ + verified_, now);
}

void HoldStage::on_message(Talker& talker, ClientSocket& ws, const Message& message) {
    if (talker.hear(ws, message)) ++verified_;
}

HoldResult hold_result(std::span<const std::unique_ptr<ClientShard>> clients) {
    HoldResult result;
    for (const auto& client : clients) {
        result.connections += client->hold().connections();
        result.verified += client->hold().verified();
    }
    result.lost = result.connections - result.verified;
    return result;
}

}  // namespace millrace::bench
