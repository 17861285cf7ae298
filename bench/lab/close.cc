#include "bench/lab/close.h"

#include <algorithm>

#include "bench/lab/client.h"

namespace millrace::bench {

namespace {

constexpr std::uint64_t kUnderWay = 512;
constexpr unsigned kPerPoll = 32;

}  // namespace

void CloseStage::begin(Talker&, Time now) {
    began_ = now;
    patience_.begin(now);
}

bool CloseStage::tick(Talker& talker, Time now) {
    for (unsigned n = 0; n < kPerPoll && next_ < talker.count() && begun_ - closed_ < kUnderWay; ++n) {
        if (talker.at(next_) != net::kNoConn) {
            talker.socket(next_).close(ws::CloseCode::kNormal, "");
            ++begun_;
        }
        ++next_;
    }
    ended_ = now;
    if (next_ == talker.count() && talker.endpoint().connections() == 0) return true;
    return patience_.is_over(closed_ + talker.endpoint().connections(), now);
}

void CloseStage::on_close(ws::CloseCode code) {
    closed_ += code == ws::CloseCode::kNormal;
}

CloseResult close_result(std::span<const std::unique_ptr<ClientShard>> clients) {
    CloseResult result;
    for (const auto& client : clients) {
        const CloseStage& stage = client->close();
        result.connections += stage.connections();
        result.closed += stage.closed();
        result.seconds = std::max(result.seconds, std::chrono::duration<double>(stage.took()).count());
    }
    if (result.seconds > 0) result.rate_per_s = static_cast<double>(result.closed) / result.seconds;
    return result;
}

}  // namespace millrace::bench
