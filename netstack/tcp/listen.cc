// Passive opens (RFC 9293 section 3.10.7.2): a SYN to a listener becomes a half-open connection, within
// bounds.

#include <algorithm>

#include "netstack/tcp/isn.h"
#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

Expected<void> Tcp::listen(SocketAddress address) {
    if (address.port == 0) return fail("a listener needs a port: write it as ADDR:PORT");
    if (address.ip.value != 0 && !is_local(address.ip))
        return fail("cannot listen on " + to_string(address) +
                    ": the address is not one of this shard's own");
    if (std::find(listeners_.begin(), listeners_.end(), address) == listeners_.end())
        listeners_.push_back(address);
    return {};
}

// Established connections go on, and handshakes that have begun are completed.
void Tcp::stop_listening() {
    listeners_.clear();
}

bool Tcp::listening_on(SocketAddress local) const {
    return std::any_of(listeners_.begin(), listeners_.end(), [&](const SocketAddress& listener) {
        return listener.port == local.port && (listener.ip.value == 0 || listener.ip == local.ip);
    });
}

// Of LISTEN's checks: RST is ignored, ACK is answered with RST, SYN opens. `iss` is given when a TIME-WAIT is
// reused and the new connection must begin above the old one.
void Tcp::listen_input(const Segment& segment, SocketAddress remote, SocketAddress local,
                       std::optional<Seq> iss) {
    if (segment.has(kRst)) return;
    if (segment.has(kAck)) return answer_with_reset(segment, remote, local);
    if (!segment.has(kSyn) || segment.has(kFin)) return;
    if (half_open_ >= config_.max_half_open) {
        ++counters_.listen_drops_half_open;
        return;
    }
    const std::uint32_t slot = take_slot();
    if (slot == kNoBlock) {
        ++counters_.listen_drops_full;
        return;
    }
    Handle h = handle(ConnId{slot});
    if (!table_.insert(hash_of(remote, local), slot)) {
        slab_.give_back(slot);
        ++counters_.listen_drops_full;
        return;
    }
    begin(h, remote, local, State::kSynReceived,
          iss ? *iss : initial_sequence(config_.secret, local, remote, now_));
    ++half_open_;
    ++counters_.passive_opens;
    h.c.rcv_nxt = segment.seq + 1;
    h.c.rcv_adv = h.c.rcv_nxt + syn_window();
    h.c.last_ack_sent = h.c.rcv_nxt;
    learn_options(h.c, segment.options);
    // Data that came on the SYN are not kept: the peer sends them again once we have acknowledged the SYN.
}

}  // namespace millrace::tcp
