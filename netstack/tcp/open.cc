// Slots: how a connection begins, what the handshake teaches it, and how everything it held is given back.

#include "netstack/tcp/isn.h"
#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
// Below it a peer could make us send little but headers, a packet for each few bytes.
constexpr std::uint16_t kLeastMss = 216;
constexpr std::uint8_t kQuickAcks = 16;  // the peer's slow start needs its ACKs
constexpr std::uint32_t kMicrosecondsPerHour = 3'600'000'000u;
}  // namespace

// When the slab is full the oldest TIME-WAIT gives way, unless it entered in this very poll: then its kClosed
// event is still on its way.
std::uint32_t Tcp::take_slot() {
    const std::uint32_t slot = slab_.take();
    if (slot != kNoBlock || oldest_time_wait_ == kNoBlock) return slot;
    Handle oldest = handle(ConnId{oldest_time_wait_});
    if (time_wait_count_ <= time_waits_this_poll_) return kNoBlock;
    ++counters_.time_wait_evicted;
    leave_time_wait(oldest);
    return slab_.take_just_given_back();
}

// A connection whose SYN or SYN-ACK leaves with the next flush; kNoBlock when a bound is reached.
std::uint32_t Tcp::open(SocketAddress remote, SocketAddress local, State state, Seq iss) {
    const std::uint32_t slot = take_slot();
    if (slot == kNoBlock) return kNoBlock;
    if (!table_.insert(hash_of(remote, local), slot)) {
        slab_.give_back(slot);
        return kNoBlock;
    }
    Handle h = handle(ConnId{slot});
    Connection& c = h.c;
    set_addresses(c, remote.ip, local.ip);
    c.remote_port = remote.port;
    c.local_port = local.port;
    c.state = state;
    c.snd_una = iss;
    c.snd_nxt = iss + 1;  // the SYN's
    // What is appended before the peer has named its MSS is cut to ours, and cut again where it leaves if the
    // peer's is smaller.
    c.mss = sendable(local_mss(c.has(kIpv6)) - kTimestampBytes);
    c.quick_acks = kQuickAcks;
    c.ts_offset = timestamp_offset(config_.secret, local.ip, remote.ip);
    c.last_sent = now_us_;
    c.challenge_at = now_us_ - kMicrosecondsPerHour / 2;
    c.congestion = {};
    c.set(kSynDue);
    mark_dirty(h);
    return slot;
}

void Tcp::set_addresses(Connection& c, const IpAddress& remote, const IpAddress& local) {
    if (remote.is_v4()) {
        c.remote_ip = remote.v4();
        c.local_ip = local.v4();
        return;
    }
    c.set(kIpv6);
    address_pairs_[slab_.number_of(c)] = {remote, local};
}

// The connection's third line, made empty when first asked for.
Extra& Tcp::extra(Handle h) {
    Extra& x = extras_[h.slot];
    if (!h.c.has(kExtra)) {
        x = {};
        h.c.set(kExtra);
    }
    return x;
}

// What the peer's SYN offers (RFC 9293 section 3.7.1, RFC 7323 sections 2.5 and 3.2). Our SYN offers all we
// have; our SYN-ACK no more than the SYN did.
void Tcp::learn_options(Handle h, const Options& options) {
    Connection& c = h.c;
    if (options.has_timestamps) {
        c.set(kTimestamps);
        c.ts_recent = options.ts_value;
        c.ts_recent_at = now_hours_;
    }
    if (options.has_window_scale) {
        c.set(kWindowScaling);
        c.scales = static_cast<std::uint8_t>(receive_scale_ << 4 | options.window_scale);
    }
    if (options.sack_permitted && config_.sack) c.set(kSack);
    learn_user_timeout(h, options.user_timeout);
    // RFC 6691: the MSS is less what our options take.
    std::uint16_t mss = options.mss != 0 ? options.mss : default_mss(c.has(kIpv6));
    if (mss < kLeastMss) {
        ++counters_.mss_floors;
        mss = kLeastMss;
    }
    mss = std::min(mss, local_mss(c.has(kIpv6))) - (c.has(kTimestamps) ? kTimestampBytes : 0);
    c.mss = sendable(mss);
    use_known_path(h);
}

// A unit must fit one mbuf.
std::uint16_t Tcp::sendable(std::uint16_t mss) const {
    return std::min<std::uint16_t>(mss, rte_pktmbuf_data_room_size(data_pool_) - RTE_PKTMBUF_HEADROOM);
}

// The handshake is complete.
void Tcp::established(Handle h, const Segment& segment) {
    Connection& c = h.c;
    if (c.is_half_open()) --half_open_;
    c.state = State::kEstablished;
    c.snd_una = segment.ack;
    // The round trip of a SYN that was sent once (RFC 6298 section 3), else its time-out counts (5.7).
    if (c.retries == 0) c.rtt.sample(now_us_ - c.last_sent);
    start_window(c.congestion, c.mss);
    if (c.retries > 0) c.congestion.cwnd = c.mss;  // RFC 5681 section 3.1: a SYN was lost
    c.clear(kRexmitTimer | kSynDue);
    if (c.retries > 0) c.set(kSynLost);
    c.retries = c.backoff = 0;
    c.snd_wnd = segment.has(kSyn) ? segment.window : std::uint32_t{segment.window} << c.send_scale();
    c.max_window = static_cast<std::uint16_t>(c.snd_wnd >> c.send_scale());
    c.snd_wl1 = segment.seq;
    c.snd_wl2 = segment.ack;
    push_event(h, c.has(kActiveOpen) ? EventKind::kConnected : EventKind::kAccepted);
    mark_dirty(h);  // what was appended, or a FIN that was queued, before
    start_keep_alive(h);
}

void Tcp::finish(Handle h, CloseReason reason) {
    push_event(h, EventKind::kClosed, reason);
    release(h);
}

void Tcp::release(Handle h) {
    if (h.c.is_half_open()) --half_open_;
    release_buffers(h.c);
    if (h.c.state != State::kAborted) table_.remove(hash_of(peer(h.id()), local(h.id())), h.slot);
    slab_.give_back(h.slot);
}

void Tcp::release_buffers(Connection& c) {
    if (c.send_queue != kNoBlock) {
        send_queues_[c.send_queue].free_all();
        send_queues_.give_back(std::exchange(c.send_queue, kNoBlock));
    }
    if (c.reassembly != kNoBlock) {
        Reassembly& r = reassemblies_[c.reassembly];
        held_ -= r.count;
        r.free_all();
        reassemblies_.give_back(std::exchange(c.reassembly, kNoBlock));
    }
    if (c.has(kExtra)) windows_grown_ -= std::exchange(extras_[slab_.number_of(c)].window.grown, 0);
    if (c.timer != net::kNoTimer) wheel_.cancel(std::exchange(c.timer, net::kNoTimer));
    if (c.app_timer != net::kNoTimer) wheel_.cancel(std::exchange(c.app_timer, net::kNoTimer));
    c.clear(kRexmitTimer | kPersistTimer | kAckTimer);
}

bool Tcp::is_local(const IpAddress& address) const {
    for (const AddressRange& range : local_)
        if (address.high == range.first.high && address.low - range.first.low < range.count) return true;
    return false;
}

}  // namespace millrace::tcp
