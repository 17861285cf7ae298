#include "bench/lab/hold.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "bench/lab/client.h"

namespace millrace::bench {

namespace {

constexpr std::uint64_t kUnderWay = 256;
constexpr unsigned kPerPoll = 32;

}  // namespace

void HoldStage::begin(Talker& talker, Time now) {
    order_.resize(talker.count());
    std::iota(order_.begin(), order_.end(), 0u);
    std::shuffle(order_.begin(), order_.end(), std::mt19937_64(seed_));
    patience_.begin(now);
}

bool HoldStage::tick(Talker& talker, Time now) {
    for (unsigned n = 0; n < kPerPoll && next_ < order_.size() && talker.outstanding() < kUnderWay; ++n) {
        if (talker.at(order_[next_]) != net::kNoConn) {
            ClientSocket ws = talker.socket(order_[next_]);
            if (talker.say(ws) == SendStatus::kFull) break;
        }
        ++next_;
    }
    if (next_ == order_.size() && talker.outstanding() == 0) return true;
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
