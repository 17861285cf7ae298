#include "bench/bulk/sender.h"

#include <algorithm>

namespace millrace::bench {

bool Sender::turn(Time now) {
    const std::uint64_t acknowledged = established_ && !over_ ? sent_ - carrier_.unsent(conn_) : 0;
    meter_.turn(now, acknowledged, worked_, carrier_);
    if (conn_ == net::kNoConn) open(now);
    for (const tcp::Event& event : carrier_.poll(now)) {
        if (event.kind == net::EventKind::kConnected) {
            established_ = true;
            mss_ = carrier_.stack().tcp().connection(conn_).mss;
            meter_.opened(now, carrier_);
        } else if (event.kind == net::EventKind::kClosed) {
            reason_ = event.reason;
            over_ = true;
        }
    }
    const std::uint64_t sent_before = sent_, segments_before = segments_in_;
    segments_in_ = carrier_.stack().tcp().counters().in_segments.value();
    if (established_ && !closing_ && !over_) {
        if (meter_.done()) {
            carrier_.close(conn_);
            closing_ = true;
        } else {
            write();
        }
    }
    carrier_.flush(now);
    worked_ = sent_ != sent_before || segments_in_ != segments_before;
    return !over_;
}

void Sender::open(Time now) {
    conn_ = carrier_.connect(to_, now);
    if (conn_ != net::kNoConn) return;
    reason_ = net::CloseReason::kNoMemory;
    over_ = true;
}

void Sender::write() {
    std::uint64_t left = std::uint64_t{kSegmentsATurn} * mss_;
    if (bound_ != 0) left = std::min(left, bound_ - sent_);
    if (left == 0 || !carrier_.prepare(conn_, left)) return;
    while (left != 0) {
        std::span<std::byte> room = carrier_.room(conn_);
        room = room.first(std::min<std::uint64_t>(room.size(), left));
        stream_.fill(room, sent_);
        carrier_.commit(conn_, room.size());
        sent_ += room.size();
        left -= room.size();
    }
}

}  // namespace millrace::bench
