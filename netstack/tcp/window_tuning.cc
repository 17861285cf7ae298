// The receive window: what is offered, and how it grows. It begins modest and follows what is delivered in a
// round trip ("dynamic right-sizing", Fisk and Feng 2001), so that a fast and distant sender gets what it
// can use and ten thousand slow ones do not own memory that they never will. All windows together grow within
// a bound of the shard. When memory is short none grows, and those that have grown go back: not by taking
// back what was offered (RFC 9293 section 3.8.6), but by offering no more until so much has come.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
constexpr std::uint32_t kLeastMeasure = 1000;   // microseconds: polls and bursts blur anything shorter
constexpr std::uint32_t kUnknownRtt = 100'000;  // where the handshake gave no sample
// Of what came in a round trip: a sender in slow start doubles it in the next, and is not to be held up.
constexpr std::uint32_t kGrowth = 3;
}  // namespace

std::uint32_t Tcp::first_window() const {
    return std::min(config_.first_window, config_.receive_window);
}

std::uint32_t Tcp::window_limit(const Connection& c) const {
    if (!c.has(kExtra)) return first_window();
    const std::uint32_t grown = extras_[slab_.number_of(c)].window.grown;
    return first_window() + grown;
}

// Least by which the right edge of the window moves (RFC 9293 section 3.8.6.2.2).
std::uint32_t Tcp::window_step(const Connection& c) const {
    return std::min<std::uint32_t>(first_window() / 2, c.mss);
}

// Where the right edge could be: as far as the window field can say, less what the application has yet to
// take.
Seq Tcp::window_edge(const Connection& c) const {
    const std::uint32_t most = std::min<std::uint32_t>(window_limit(c), 0xffffu << c.receive_scale());
    const std::uint32_t held = c.reassembly == kNoBlock ? 0 : reassemblies_[c.reassembly].ready_bytes();
    return c.rcv_nxt + (most - std::min(held, most));
}

// The window field of a segment that is about to leave. The right edge never moves left.
std::uint16_t Tcp::advertise(Connection& c) {
    const std::uint32_t step = window_step(c);
    Seq edge = window_edge(c);
    if (edge < c.rcv_adv + step) {
        edge = c.rcv_adv;
    } else if (config_.receive_window > first_window() && c.state >= State::kEstablished) {
        tune_window({slab_.number_of(c), c});
        edge = max(window_edge(c), c.rcv_adv);
    }
    const std::uint32_t field = std::min<std::uint32_t>((edge - c.rcv_nxt) >> c.receive_scale(), 0xffff);
    c.rcv_adv = max(c.rcv_adv, c.rcv_nxt + (field << c.receive_scale()));
    return static_cast<std::uint16_t>(field);
}

// Once a round trip. Connections that never get a full segment never come here.
void Tcp::tune_window(Handle h) {
    Connection& c = h.c;
    const bool begins = !c.has(kExtra) || !extras_[h.slot].window.measuring;
    ReceiveWindow& window = extra(h).window;
    const std::uint32_t rtt = c.rtt.srtt8 == 0 ? kUnknownRtt : c.rtt.srtt8 / 8;
    if (!begins && now_us_ - window.measured_at < std::max(rtt, kLeastMeasure)) return;
    const std::uint32_t came = c.rcv_nxt - window.measured_from;
    window.measuring = true;
    window.measured_from = c.rcv_nxt;
    window.measured_at = now_us_;
    if (short_of_memory() || held_ > most_held_ / 2) return shrink_window(window);
    if (!begins) grow_window(window, std::min(came, config_.receive_window) * kGrowth);
}

void Tcp::grow_window(ReceiveWindow& window, std::uint32_t wanted) {
    const std::uint32_t now = first_window() + window.grown;
    wanted = std::min(wanted, config_.receive_window);
    if (wanted <= now) return;
    const std::uint64_t left =
        config_.max_window_growth - std::min(config_.max_window_growth, windows_grown_);
    const auto more = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted - now, left));
    if (more < wanted - now) ++counters_.windows_bounded;
    if (more == 0) return;
    ++counters_.windows_grown;
    window.grown += more;
    windows_grown_ += more;
}

void Tcp::shrink_window(ReceiveWindow& window) {
    if (window.grown == 0) return;
    ++counters_.windows_shrunk;
    windows_grown_ -= std::exchange(window.grown, 0);
}

}  // namespace millrace::tcp
