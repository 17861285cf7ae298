#include "bench/lab/latency.h"

#include "bench/lab/options.h"

namespace millrace::bench {

void LatencyStage::begin(Talker& talker, Time now) {
    talker.set_payload(kPayload);
    while (connection_ < talker.count() && talker.at(connection_) == net::kNoConn)
        ++connection_;
    recorder_.begin(now + kWarmUp, options_.duration);
    polls_.begin(recorder_.from(), recorder_.until(), options_.client_cores[0]);
    if (options_.rate > 0)
        open_loop_ = OpenLoop(
            {.begin = now, .per_second = options_.rate, .arrivals = options_.arrivals, .seed = options_.seed},
            kMostUnderWay);
    sending_ = true;
    patience_.begin(now);
}

bool LatencyStage::tick(Talker& talker, const TscClock& clock, Time now) {
    const bool open = connection_ < talker.count() && talker.at(connection_) != net::kNoConn;
    if (!open || patience_.is_over(answered_, now)) {
        lost_ = sent_ - answered_;
        return true;
    }
    if (!sending_) return sent_ == answered_;
    // A machine that gives us no time is waited for: there is no figure without a message.
    if (now >= recorder_.until() && (options_.rate > 0 || counted_ != 0 || corrupted_ != 0)) {
        if (!say_what_is_due(talker, clock, recorder_.until() - Duration(1))) return false;
        unsent_ = options_.rate > 0 ? open_loop_.unsent(recorder_.until()) : 0;
        ended_ = now;
        sending_ = false;
        return sent_ == answered_;
    }
    if (options_.rate > 0)
        say_what_is_due(talker, clock, now);
    else if (sent_ == answered_)
        ping(talker, clock);
    return false;
}

// True when nothing more is due, or there is no room for it.
bool LatencyStage::say_what_is_due(Talker& talker, const TscClock& clock, Time now) {
    constexpr unsigned kPerPoll = 64;
    if (options_.rate == 0) return true;
    ClientSocket ws = talker.socket(connection_);
    std::uint32_t place = 0;
    for (unsigned n = 0; n < kPerPoll; ++n) {
        if (!open_loop_.has_unsent(0) && !open_loop_.next(now, place)) return true;
        const Time at = clock.now();
        if (talker.say(ws) != SendStatus::kSent) return true;
        recorder_.sent(open_loop_.sent(0, at), at);
        ++sent_;
    }
    return false;
}

void LatencyStage::ping(Talker& talker, const TscClock& clock) {
    ClientSocket ws = talker.socket(connection_);
    pinged_at_ = clock.now();
    if (talker.say(ws) == SendStatus::kSent) ++sent_;
}

void LatencyStage::on_message(Talker& talker, const TscClock& clock, ClientSocket& ws,
                              const Message& message) {
    const Time now = clock.now();
    if (sent_ == answered_) {  // talker.hear() says that nobody asked for it
        talker.hear(ws, message);
        ++corrupted_;
        return;
    }
    ++answered_;
    OpenLoop::Message times{pinged_at_, pinged_at_};
    if (options_.rate > 0) times = open_loop_.answered(0);
    if (!talker.hear(ws, message)) {
        ++corrupted_;
        return;
    }
    // Where the machine gave us no time before, this one is all that there is.
    if (counted_ == 0 && now >= recorder_.until()) recorder_.extend(now);
    recorder_.answered(times.intended, times.sent, now);
    counted_ += recorder_.counts(times.intended);
}

LatencyResult LatencyStage::result(const Histogram& floor) const {
    const bool open_loop = options_.rate > 0;
    LatencyResult result{.mode = open_loop ? open_loop_name(options_.arrivals) : "ping-pong",
                         .payload_bytes = kPayload,
                         .requested_per_s = options_.rate,
                         .sent = sent_,
                         .unsent = unsent_,
                         .lost = lost_,
                         .corrupted = corrupted_,
                         .rtt_ns = quantiles(recorder_.latencies().rtt()),
                         .service_ns = quantiles(recorder_.latencies().service),
                         .send_lag_ns = quantiles(recorder_.latencies().send_lag),
                         .floor_rtt_ns = quantiles(floor),
                         .latencies = recorder_.latencies(),
                         .polls = {polls_.trace()}};
    result.seconds = std::chrono::duration<double>(ended_ - recorder_.from()).count();
    if (result.seconds > 0) result.rate_per_s = static_cast<double>(counted_) / result.seconds;
    if (result.floor_rtt_ns.p50 != 0)
        result.rtt_p50_over_floor_p50 =
            static_cast<double>(result.rtt_ns.p50) / static_cast<double>(result.floor_rtt_ns.p50);
    return result;
}

}  // namespace millrace::bench
