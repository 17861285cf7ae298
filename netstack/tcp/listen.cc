// Passive opens (RFC 9293 section 3.10.7.2): a SYN to a listener becomes a half-open connection, within
// bounds.

#include <algorithm>

#include "netstack/tcp/isn.h"
#include "netstack/tcp/syn_cookie.h"
#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

Expected<void> Tcp::listen(SocketAddress address, std::optional<Duration> keep_alive) {
    if (address.port == 0) return fail("a listener needs a port: write it as ADDR:PORT");
    if (!address.ip.is_unspecified() && !is_local(address.ip))
        return fail("cannot listen on " + to_string(address) +
                    ": the address is not one of this shard's own");
    const auto same = [&](const Listener& listener) { return listener.address == address; };
    if (std::none_of(listeners_.begin(), listeners_.end(), same))
        listeners_.push_back({address, keep_alive.value_or(config_.keep_alive)});
    return {};
}

// Established connections go on, and handshakes that have begun are completed.
void Tcp::stop_listening() {
    listeners_.clear();
}

// Null when nobody listens there.
const Tcp::Listener* Tcp::listening_on(const SocketAddress& local) const {
    for (const Listener& listener : listeners_) {
        const auto& [ip, port] = listener.address;
        const bool any = ip.is_unspecified() && ip.is_v4() == local.ip.is_v4();
        if (port == local.port && (any || ip == local.ip)) return &listener;
    }
    return nullptr;
}

// Of LISTEN's checks: RST is ignored, ACK brings a cookie back or is answered with RST, SYN opens. `iss` is
// given when a TIME-WAIT is reused and the new connection must begin above the old one, which no cookie can:
// it then takes the place that the TIME-WAIT had, whatever the bound.
void Tcp::listen_input(Segment& segment, SocketAddress remote, SocketAddress local, std::optional<Seq> iss) {
    if (segment.has(kRst)) return;
    if (segment.has(kAck)) {
        if (!cookie_arrives(segment, remote, local)) answer_with_reset(segment, remote, local);
        return;
    }
    if (!segment.has(kSyn) || segment.has(kFin)) return;
    if (half_open_ >= most_half_open() && !iss) return answer_with_cookie(segment, remote, local);
    const Seq isn = iss ? *iss : initial_sequence(config_.secret, local, remote, now_);
    const std::uint32_t slot = half_opened(remote, local, segment.seq, isn);
    if (slot == kNoBlock) return;
    learn_options(handle(ConnId{slot}), segment.options);
    // Data that came on the SYN are not kept: the peer sends them again once we have acknowledged the SYN.
}

// Never more than half of the slots that are left: those who bring a cookie back, and who connect, find the
// other half. Where none is left a cookie would promise what cannot be kept: the SYN is dropped for that.
std::size_t Tcp::most_half_open() const {
    const std::size_t left = max_connections() - (connections() - half_open_);
    return std::min(config_.max_half_open, std::max<std::size_t>(left + 1, 2) / 2);
}

// A connection in SYN-RECEIVED; kNoBlock when a bound is reached.
std::uint32_t Tcp::half_opened(SocketAddress remote, SocketAddress local, Seq irs, Seq iss) {
    const std::uint32_t slot = open(remote, local, State::kSynReceived, iss);
    if (slot == kNoBlock) {
        ++counters_.listen_drops_full;
        return kNoBlock;
    }
    ++half_open_;
    ++counters_.passive_opens;
    Connection& c = slab_[slot];
    c.rcv_nxt = irs + 1;
    c.rcv_adv = c.rcv_nxt + syn_window();
    c.last_ack_sent = c.rcv_nxt;
    return slot;
}

// RFC 4987 section 3.6. It takes no slot, no timer and no place in a table: a flood of SYNs costs a hash and
// a segment each, and those of others are answered among them.
void Tcp::answer_with_cookie(const Segment& segment, SocketAddress remote, SocketAddress local) {
    const Options& theirs = segment.options;
    Options ours{.ts_echo = theirs.ts_value,
                 .mss = local_mss(!remote.ip.is_v4()),
                 .window_scale = receive_scale_,
                 .has_timestamps = theirs.has_timestamps,
                 .has_window_scale = theirs.has_timestamps && theirs.has_window_scale,
                 .sack_permitted = theirs.has_timestamps && theirs.sack_permitted && config_.sack};
    if (theirs.has_timestamps)
        ours.ts_value =
            cookie_timestamp(now_ms_ + timestamp_offset(config_.secret, local.ip, remote.ip), theirs);
    const Seq cookie = make_cookie(config_.secret, local, remote, segment.seq,
                                   theirs.mss != 0 ? theirs.mss : default_mss(!remote.ip.is_v4()), now_);
    last_cookie_at_ = now_;
    ++counters_.cookies_sent;
    push_syn(remote, local, kSyn | kAck, cookie, segment.seq + 1, ours);
}

// An ACK to a listener, while cookies are about. With a good one the handshake is what it would have been,
// and the segment, which may carry data, is taken as its last. False: it proves nothing.
bool Tcp::cookie_arrives(Segment& segment, SocketAddress remote, SocketAddress local) {
    if (!last_cookie_at_ || now_ - *last_cookie_at_ > kCookieLife || segment.has(kSyn)) return false;
    const auto mss = read_cookie(config_.secret, local, remote, segment.seq - 1, segment.ack - 1, now_);
    if (!mss) {
        ++counters_.cookies_failed;
        return false;
    }
    const std::uint32_t slot = half_opened(remote, local, segment.seq - 1, segment.ack - 1);
    if (slot == kNoBlock) return true;
    ++counters_.cookies_received;
    Options options{
        .ts_value = segment.options.ts_value, .mss = *mss, .has_timestamps = segment.options.has_timestamps};
    if (options.has_timestamps) read_cookie_timestamp(segment.options.ts_echo, options);
    Handle h = handle(ConnId{slot});
    learn_options(h, options);
    segment_arrives(h, segment);
    h.c.rtt = {};  // when the SYN-ACK left is not known (RFC 6298 section 3)
    return true;
}

}  // namespace millrace::tcp
