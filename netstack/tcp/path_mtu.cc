// Path MTU discovery: what ICMP says (RFC 1191, RFC 8201) as far as it can be believed (RFC 5927 section 7),
// what is found out where ICMP is silent (black holes, RFC 4821 section 7.7), and the way back up (RFC 4821
// section 7). What one connection has learnt others to the same destination begin with (RFC 8201 section
// 5.2): path_mtu_cache.h. A segment that was too large is no sign of congestion: what is outstanding leaves
// again at once, in smaller pieces, by slow start up to the window as it is (RFC 1191 section 6.4).

#include <array>

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// RFC 1191 section 3 allows 68, which would make each segment a header and eight bytes. Nobody's link is so
// small; a forger's would be. Linux draws the same line.
constexpr std::uint16_t kLeastPathMtu = 552;
constexpr std::uint16_t kLeastPathMtuV6 = 1280;  // RFC 8200 section 5, RFC 8201 section 4
constexpr std::uint16_t kBlackHoleMtu = 1280;    // what tunnels carry, as IPv6 needs it
// RFC 1191 section 7.1: for routers that do not say what would pass.
constexpr std::array<std::uint16_t, 8> kPlateaus{32000, 17914, 8166, 4352, 2002, 1492, 1006, kLeastPathMtu};
constexpr std::uint8_t kBlackHoleTimeouts = 2;  // in a row, of a segment that need not be so large
constexpr std::uint32_t kRaiseAfter = 600'000;  // milliseconds: RFC 1191 section 6.3, RFC 8201 section 4
constexpr std::uint32_t kSearchStep = 60'000;   // between two sizes of one search
constexpr std::uint16_t kSearchEnds = 32;       // bytes between what passes and what does not
constexpr std::uint16_t kIpv4Header = 20;
constexpr std::uint16_t kIpv6Header = 40;

bool passed(std::uint32_t now, std::uint32_t at) {
    return static_cast<std::int32_t>(now - at) >= 0;
}
}  // namespace

std::uint16_t Tcp::packet_overhead(const Connection& c) const {
    return (c.has(kIpv6) ? kIpv6Header : kIpv4Header) + header_bytes(c);
}

// The handshake has just said what the peer takes.
void Tcp::use_known_path(Handle h) {
    Connection& c = h.c;
    const auto known = known_paths_.find(addresses(c).remote, now_);
    if (!known || known->mtu - packet_overhead(c) >= c.mss) return;
    ++counters_.path_mtus_reused;
    PathMtu& path = extra(h).path;
    path.agreed = c.mss;
    path.proven = c.mss = static_cast<std::uint16_t>(known->mtu - packet_overhead(c));
    path.raise_at = now_ms_ + static_cast<std::uint32_t>((known->until - now_) / 1ms);
}

// `mss` passes and something larger does not.
void Tcp::learn_path(Handle h, std::uint16_t mss) {
    const auto mtu = static_cast<std::uint16_t>(mss + packet_overhead(h.c));
    if (known_paths_.learn(addresses(h.c).remote, mtu, now_)) ++counters_.path_mtus_evicted;
}

void Tcp::path_mtu(SocketAddress local, SocketAddress remote, std::uint16_t mtu, std::uint32_t quoted,
                   Time now) {
    set_now(now);
    ++counters_.path_mtu_messages;
    const std::uint32_t slot = find(hash_of(remote, local), remote, local);
    if (slot == kNoBlock) return;
    Handle h = handle(ConnId{slot});
    Connection& c = h.c;
    if (c.state <= State::kSynReceived || c.state >= State::kTimeWait) return;
    // RFC 5927 section 4.1: it must quote what is on its way.
    if (quoted - c.snd_una.value >= c.snd_nxt - c.snd_una) {
        ++counters_.icmps_out_of_window;
        return;
    }
    const std::uint16_t sent = c.mss + packet_overhead(c);
    if (mtu == 0 && !c.has(kIpv6))
        mtu = *std::find_if(kPlateaus.begin(), kPlateaus.end() - 1, [&](auto p) { return p < sent; });
    if (mtu >= sent) return;  // section 7.2: it cannot have been too large
    if (mtu < (c.has(kIpv6) ? kLeastPathMtuV6 : kLeastPathMtu)) {
        ++counters_.path_mtu_floors;
        if (c.has(kIpv6)) return;  // no link is so small: RFC 8201 section 4 has the message discarded
        mtu = kLeastPathMtu;
        if (mtu >= sent) return;
    }
    ++counters_.path_mtu_reductions;
    learn_path(h, mtu - packet_overhead(c));
    send_smaller(h, mtu - packet_overhead(c), kRaiseAfter);
}

// The segments outstanding go again, in pieces of `mss` bytes.
void Tcp::send_smaller(Handle h, std::uint16_t mss, std::uint32_t raise_after) {
    Connection& c = h.c;
    PathMtu& path = extra(h).path;
    if (path.agreed == 0) path.agreed = c.mss;
    path.proven = c.mss = mss;
    path.probing = path.probe_sent = false;
    path.raise_at = now_ms_ + raise_after;
    if (c.send_queue == kNoBlock || send_queues_[c.send_queue].head == nullptr) return;
    SendQueue& q = send_queues_[c.send_queue];
    q.mark_all_lost(c.snd_nxt);
    c.recover = c.snd_nxt;
    if (c.has(kRecovery)) c.congestion.cwnd = c.congestion.ssthresh;  // the recovery that was on is over
    // More packets than before, and nothing is known to be in flight: at once they would be a burst.
    c.congestion.ssthresh = std::max(c.congestion.ssthresh, c.congestion.cwnd);
    c.congestion.cwnd = mss;
    q.end_epoch();
    c.set(kTimeoutRecovery);  // or what is marked would count as a loss
    c.clear(kRecovery | kTailProbe);
    arm_rexmit(h, rto(c));
    mark_dirty(h);
}

// The retransmission timer has expired. True when it was for a size on trial: then it has failed, and the
// timeout says nothing else (RFC 4821 section 7.6.2). A FIN that is outstanding alone is of no size.
bool Tcp::too_large_timed_out(Handle h) {
    Connection& c = h.c;
    const bool data = c.send_queue != kNoBlock && send_queues_[c.send_queue].head != nullptr;
    if (!data) return false;
    const SendQueue& q = send_queues_[c.send_queue];
    // What is lost may also be something smaller, before the first segment of that size or without any.
    PathMtu& path = extras_[h.slot].path;
    const bool on_trial = c.has(kExtra) && path.probing && path.probe_sent;
    if (on_trial && end_of(q.head) - c.snd_una > path.proven) {
        ++counters_.path_mtu_probes_failed;
        path.failed = c.mss;
        // Of a black hole this is the first proof: the timeouts before may have been an outage.
        learn_path(h, path.proven);
        send_smaller(h, path.proven, kSearchStep);
        return true;
    }
    if (c.retries < kBlackHoleTimeouts || c.retries % 2 != 0) return false;
    // The packet that was lost, which may be shorter than the largest.
    const std::uint16_t overhead = packet_overhead(c);
    const std::uint32_t packet = std::min<std::uint32_t>(end_of(q.head) - c.snd_una, c.mss) + overhead;
    const auto mtu = c.has(kIpv6) || packet > kBlackHoleMtu ? kBlackHoleMtu : kLeastPathMtu;
    if (packet <= mtu) return false;
    ++counters_.path_mtu_black_holes;
    send_smaller(h, mtu - overhead, kSearchStep);
    return false;
}

// Between two polls: is it time to try a larger size? All that is appended from now on is cut to it.
void Tcp::try_larger(Handle h) {
    Connection& c = h.c;
    PathMtu& path = extras_[h.slot].path;
    if (path.agreed == 0 || path.probing || !passed(now_ms_, path.raise_at) || c.retries > 0 ||
        c.state != State::kEstablished)
        return;
    if (path.failed != 0 && path.failed - path.proven <= kSearchEnds) {
        path.failed = 0;  // the search is over; the path may be another by the next time
        path.raise_at = now_ms_ + kRaiseAfter;
        return;
    }
    c.mss = path.failed == 0 ? path.agreed : static_cast<std::uint16_t>((path.proven + path.failed) / 2);
    path.probing = true;
    path.probe_sent = false;
}

void Tcp::note_probe(Handle h, Seq end, std::uint32_t length) {
    PathMtu& path = extras_[h.slot].path;
    if (!path.probing || path.probe_sent || length <= path.proven) return;
    path.probe_sent = true;
    path.probe_end = end;
}

// New data are acknowledged.
void Tcp::larger_passed(Handle h) {
    Connection& c = h.c;
    PathMtu& path = extras_[h.slot].path;
    if (!path.probing || !path.probe_sent || c.snd_una < path.probe_end) return;
    ++counters_.path_mtu_probes_passed;
    path.proven = c.mss;
    path.probing = path.probe_sent = false;
    path.raise_at = now_ms_ + kSearchStep;
    if (c.mss == path.agreed) {
        path = {};
        known_paths_.forget(addresses(c).remote, now_);
    } else {
        learn_path(h, path.proven);
    }
}

}  // namespace millrace::tcp
