#include "bench/lab/latency.h"

namespace millrace::bench {

void LatencyStage::begin(Talker& talker, Time now) {
    talker.set_payload(kPayload);
    while (connection_ < talker.count() && talker.at(connection_) == net::kNoConn)
        ++connection_;
    counts_from_ = now + kWarmUp;
    patience_.begin(now);
}

bool LatencyStage::tick(Talker& talker, const TscClock& clock, Time now) {
    const bool open = connection_ < talker.count() && talker.at(connection_) != net::kNoConn;
    if (!open || patience_.is_over(sent_, now)) {
        lost_ = waiting_;
        return true;
    }
    if (waiting_) return false;
    ended_ = now;
    // A machine that gives us no time is waited for: there is no figure without a message.
    if (now >= counts_from_ + duration_ && (counted_ != 0 || corrupted_ != 0)) return true;
    ClientSocket ws = talker.socket(connection_);
    sent_at_ = clock.now();
    if (talker.say(ws) == SendStatus::kSent) {
        waiting_ = true;
        ++sent_;
    }
    return false;
}

void LatencyStage::on_message(Talker& talker, const TscClock& clock, ClientSocket& ws,
                              const Message& message) {
    const Duration round_trip = clock.now() - sent_at_;
    waiting_ = false;
    if (!talker.hear(ws, message)) {
        ++corrupted_;
    } else if (sent_at_ >= counts_from_) {
        round_trips_.record(round_trip);
        ++counted_;
    }
}

LatencyResult LatencyStage::result(const Histogram& floor) const {
    LatencyResult result{.payload_bytes = kPayload,
                         .sent = sent_,
                         .lost = lost_,
                         .corrupted = corrupted_,
                         .rtt_ns = quantiles(round_trips_),
                         .floor_rtt_ns = quantiles(floor)};
    const double seconds = std::chrono::duration<double>(ended_ - counts_from_).count();
    if (seconds > 0) result.rate_per_s = static_cast<double>(counted_) / seconds;
    if (result.floor_rtt_ns.p50 != 0)
        result.rtt_p50_over_floor_p50 =
            static_cast<double>(result.rtt_ns.p50) / static_cast<double>(result.floor_rtt_ns.p50);
    return result;
}

}  // namespace millrace::bench
