#include "tests/sim/scenario.h"

#include <algorithm>
#include <cstdio>

#include "tests/sim/random.h"

namespace millrace::sim {
namespace {

Duration within(Random& r, Duration most) {
    return Duration(static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(most.count()))));
}

// --- the wire ---

WirePlan draw_wire(std::uint64_t seed, unsigned from, bool harsh) {
    WirePlan wire;
    Random r(seed, "wire", from);
    wire.delay = r.log_between(Duration(1us), 200ms);
    if (r.chance(0.5)) wire.jitter = r.log_between(Duration(1us), 50ms);
    if (r.chance(0.4)) {
        wire.bits_per_second = r.log_between(100'000, 1'000'000'000);
        wire.queue_bytes = r.log_between(6000, 200'000);
    }
    Random faults(seed, "faults", from);
    const auto some = [&](double chance, double mild_most, double harsh_most) {
        const double level = static_cast<double>(faults.below(1000)) / 1000;
        return faults.chance(chance) ? level * (harsh ? harsh_most : mild_most) : 0;
    };
    wire.loss = some(0.5, 0.02, 0.3);
    wire.duplication = some(0.3, 0.1, 0.3);
    wire.reordering = some(0.4, 0.1, 0.5);
    wire.corruption = some(0.3, 0.01, 0.1);
    if (harsh && faults.chance(0.2)) {
        wire.burst_enter = some(1, 0, 0.05);
        wire.burst_leave = 0.02 + some(1, 0, 0.5);
        wire.burst_loss = 0.2 + some(1, 0, 0.8);
    }
    return wire;
}

std::vector<Outage> draw_outages(std::uint64_t seed, Duration calm) {
    Random r(seed, "outages");
    std::vector<Outage> outages;
    if (!r.chance(0.25)) return outages;
    for (std::uint64_t n = r.between(1, 3); n > 0; --n) {
        Outage outage{
            .from = Duration(static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(calm.count())))),
            .length = r.log_between(Duration(1ms), 60s),
            .ways = {true, true}};
        if (r.chance(0.3)) outage.ways[r.below(2)] = false;
        outages.push_back(outage);
    }
    return outages;
}

// The path gets narrower or wider, with a router's word or without.
std::vector<MtuChange> draw_mtu_changes(std::uint64_t seed, Duration calm, std::uint16_t least) {
    Random r(seed, "path MTU");
    std::vector<MtuChange> changes;
    if (!r.chance(0.25)) return changes;
    for (std::uint64_t n = r.between(1, 3); n > 0; --n)
        changes.push_back({.at = r.chance(0.3) ? Duration{} : within(r, calm),
                           .mtu = static_cast<std::uint16_t>(r.between(least, 1500)),
                           .silent = r.chance(0.3)});
    return changes;
}

// --- the hosts ---

tcp::Config draw_tcp(std::uint64_t seed, unsigned host, bool harsh, std::uint16_t mtu) {
    Random r(seed, "tcp", host);
    tcp::Config config;
    config.max_connections = harsh && r.chance(0.1) ? r.between(1, 3) : 16;
    config.max_half_open = harsh && r.chance(0.1) ? 1 : 16;
    config.send_limit = static_cast<std::uint32_t>(r.log_between(1000, 1 << 20));
    config.receive_window = static_cast<std::uint32_t>(r.log_between(mtu, 1 << 20));
    config.mtu = mtu;
    config.delayed_ack = r.pick({Duration(0), Duration(40ms), Duration(200ms)});
    config.min_rto = r.pick({Duration(200ms), Duration(200ms), Duration(1s)});
    config.time_wait = harsh ? r.log_between(Duration(1s), 60s) : Duration(60s);
    config.secret = {r.next(), r.next()};
    return config;
}

HostPlan draw_host(std::uint64_t seed, unsigned host, bool harsh, Duration calm, std::uint16_t least_mtu) {
    Random r(seed, "host", host);
    HostPlan plan{};
    plan.mtu = r.chance(0.6) ? 1500 : static_cast<std::uint16_t>(r.between(least_mtu, 1500));
    plan.tcp = draw_tcp(seed, host, harsh, plan.mtu);
    const auto size = [&] { return r.chance(0.8) ? 1024u : r.pick({64u, 256u}); };
    plan.data_mbufs = size();
    plan.header_mbufs = size();
    plan.receive_mbufs = size();
    plan.tcp.max_reassembly = std::uint64_t{plan.receive_mbufs} / 2 * 2048;
    plan.poll_interval = r.pick({Duration(0), Duration(1us), Duration(20us), Duration(1ms)});
    plan.port_keeps = r.chance(0.5) ? 0 : static_cast<unsigned>(r.below(16));
    // A port gives mbufs back only when it is given others: what it keeps must lie within what the stack
    // never spends on new work (pool_budget.h), at two mbufs a frame.
    plan.port_keeps = std::min(plan.port_keeps, std::min(plan.header_mbufs, plan.data_mbufs) / 16 - 1);
    plan.offloads.transmit_chains = r.chance(0.7);
    plan.epoch = r.pick({Epoch::kAny, Epoch::kIsnWraps, Epoch::kTimestampsWrap});
    if (!harsh) return plan;
    Random trouble(seed, "trouble", host);
    if (trouble.chance(0.15)) {
        for (std::uint64_t n = trouble.between(1, 3); n > 0; --n)
            plan.droughts.push_back(
                {.from = within(trouble, calm),
                 .length = trouble.log_between(Duration(1ms), 20s),
                 .pool = trouble.pick({PoolKind::kData, PoolKind::kHeaders, PoolKind::kReceive}),
                 .left = static_cast<unsigned>(trouble.below(4))});
    }
    // Below the 24 days that turn timestamps round (RFC 7323 section 5.5).
    if (trouble.chance(0.08))
        plan.jumps.push_back({within(trouble, calm), trouble.log_between(Duration(1ms), 20 * 24h)});
    if (trouble.chance(0.08))
        for (std::uint64_t n = trouble.between(1, 2); n > 0; --n)
            plan.reboots.push_back(within(trouble, calm));
    return plan;
}

// --- the applications ---

TalkerPlan draw_talker(Random& r, std::uint64_t most_bytes, unsigned data_mbufs) {
    TalkerPlan plan{};
    if (r.chance(0.8))
        plan.bytes = r.log_between(1, r.chance(0.97) ? 20'000 : r.chance(0.9) ? 200'000 : 2'000'000);
    plan.bytes = std::min(plan.bytes, most_bytes);
    plan.most_at_once = r.log_between(1, std::min<std::uint64_t>(100'000, data_mbufs / 16 * 500));
    plan.most_at_once = std::max(plan.most_at_once, plan.bytes / 100);
    plan.most_at_once = std::min<std::uint64_t>(plan.most_at_once, data_mbufs / 8 * 500);
    plan.reference_percent = r.pick({0u, 0u, 50u, 100u});
    if (r.chance(0.3)) plan.think = r.log_between(Duration(1ms), 5s);
    plan.early = r.chance(0.2);
    if (r.chance(0.3)) {
        plan.pauses = static_cast<unsigned>(r.between(1, 3));
        plan.longest_pause = r.log_between(Duration(1ms), 300s);
    }
    if (r.chance(0.2)) plan.keep_percent = 20;
    plan.ending = r.pick({Ending::kClose, Ending::kClose, Ending::kCloseAfterPeer, Ending::kCloseAfterAll});
    if (r.chance(0.06)) plan.ending = Ending::kAbort;
    return plan;
}

std::vector<ConversationPlan> draw_conversations(const Scenario& s) {
    Random r(s.seed, "conversations");
    std::uint64_t most_bytes = 2'000'000;
    for (const WirePlan& wire : s.wires)
        if (wire.bits_per_second != 0) most_bytes = std::min(most_bytes, 20'000 + wire.bits_per_second / 50);
    std::vector<ConversationPlan> conversations(r.chance(0.6) ? 1 : r.between(2, 4));
    const bool one_way = r.chance(0.8);
    for (ConversationPlan& c : conversations) {
        c.at = r.chance(0.5) ? Duration{} : within(r, s.calm);
        c.opener = one_way ? 0 : static_cast<unsigned>(r.below(2));
        for (unsigned i = 0; i < 2; ++i)
            c.talkers[i] = draw_talker(r, most_bytes, s.hosts[i == 0 ? c.opener : 1 - c.opener].data_mbufs);
        if (c.talkers[0].ending == Ending::kCloseAfterPeer && c.talkers[1].ending == Ending::kCloseAfterPeer)
            c.talkers[r.below(2)].ending = Ending::kClose;
        for (TalkerPlan& talker : c.talkers)
            talker.abort_after = r.below(c.talkers[0].bytes + c.talkers[1].bytes + 1);
        c.attempts = r.chance(0.5) ? 1 : 3;
    }
    return conversations;
}

// What the slowest of the transfers may take once nothing goes wrong any more: the longest retransmission
// timeout and the SYN's retries, and after that each window's worth a round trip, acknowledgments delayed.
Duration draw_settle(const Scenario& s) {
    Duration settle = 5min;
    const Duration round =
        s.wires[0].delay + s.wires[1].delay + s.wires[0].jitter + s.wires[1].jitter + 600ms;
    const std::uint64_t window = std::min(s.hosts[0].tcp.receive_window, s.hosts[1].tcp.receive_window);
    for (const ConversationPlan& c : s.conversations) {
        const std::uint64_t bytes = c.talkers[0].bytes + c.talkers[1].bytes;
        settle += round * static_cast<std::int64_t>(bytes / std::min<std::uint64_t>(window, 5000) + 1);
        for (const WirePlan& wire : s.wires)
            if (wire.bits_per_second != 0)
                settle += std::chrono::milliseconds(bytes * 8 * 1000 * 4 / wire.bits_per_second);
    }
    return settle;
}

// --- the second edition ---

Middlebox draw_middlebox(std::uint64_t seed) {
    Random r(seed, "middlebox");
    return {.timestamps = r.chance(0.15), .sack = r.chance(0.1), .window_scale = r.chance(0.1)};
}

void draw_jumbo(std::uint64_t seed, unsigned host, HostPlan& plan) {
    if (!Random(seed, "jumbo").chance(0.2)) return;
    Random r(seed, "jumbo", 1 + host);
    plan.jumbo = true;
    plan.mtu = r.chance(0.6) ? 9000 : static_cast<std::uint16_t>(r.between(1501, 9000));
    plan.tcp.mtu = plan.mtu;
    plan.tcp.receive_window = std::max<std::uint32_t>(plan.tcp.receive_window, plan.mtu);
}

// In mild weather nobody may lose patience: a queue before a slow line is long, and readers pause for
// minutes.
void draw_patience(std::uint64_t seed, unsigned host, bool harsh, tcp::Config& config) {
    Random r(seed, "patience", host);
    if (r.chance(0.3)) {
        config.keep_alive = r.log_between(harsh ? Duration(1s) : Duration(10s), 2h);
        config.keep_alive_interval = r.log_between(harsh ? Duration(100ms) : Duration(20s), 75s);
        config.keep_alive_probes = static_cast<std::uint8_t>(r.between(harsh ? 1 : 5, 9));
    }
    if (r.chance(0.2)) config.user_timeout = r.log_between(harsh ? Duration(500ms) : Duration(15min), 2h);
    if (harsh && r.chance(0.2)) config.fin_wait_2 = r.log_between(Duration(1s), 600s);
}

// Nor may an end that waits for the other's FIN, though it hears nothing while that one finds out how narrow
// a silent black hole is: five timeouts, each twice the last.
void be_patient(Scenario& s) {
    const auto silent = [](const MtuChange& change) { return change.silent; };
    if (s.harsh || std::none_of(s.mtu_changes.begin(), s.mtu_changes.end(), silent)) return;
    for (HostPlan& host : s.hosts)
        host.tcp.fin_wait_2 = 10min;
}

void draw_algorithms(std::uint64_t seed, unsigned host, tcp::Config& config) {
    Random r(seed, "algorithms", host);
    if (r.chance(0.3)) config.congestion = tcp::CongestionAlgorithm::kNewReno;
    if (r.chance(0.15)) config.sack = false;
    if (r.chance(0.3)) tcp::apply(r.pick({tcp::Preset::kLatency, tcp::Preset::kThroughput}), config);
    if (r.chance(0.3)) {
        config.first_window = static_cast<std::uint32_t>(r.log_between(config.mtu, 64 << 10));
        config.max_window_growth = r.log_between(1, 1 << 20);
    }
}

// A host sends the same stream on many connections, each message of it built once.
void draw_broadcast(Scenario& s) {
    Random r(s.seed, "broadcast");
    if (!r.chance(0.15)) return;
    const ConversationPlan first = s.conversations.front();
    // Mbufs for all: else one of them may get none before the others are done, which is nobody's fault.
    HostPlan& from = s.hosts[1 - first.opener];
    from.data_mbufs = from.header_mbufs = 1024;
    const std::uint64_t message =
        r.log_between(1, std::min<std::uint64_t>(20'000, from.data_mbufs / 64 * 500));
    const std::uint64_t bytes = std::min<std::uint64_t>(message * r.between(1, 20), 20'000);
    for (std::uint64_t n = r.between(2, 6); s.conversations.size() < n;) {
        ConversationPlan another = first;
        another.at = r.chance(0.5) ? first.at : within(r, s.calm);
        another.talkers[0].bytes = r.below(2000);
        s.conversations.push_back(another);
    }
    for (ConversationPlan& c : s.conversations) {
        c.opener = first.opener;
        c.talkers[1].bytes = bytes;
        c.talkers[1].broadcast = message;
        for (TalkerPlan& talker : c.talkers) {
            talker.most_at_once = std::max(talker.most_at_once, talker.bytes / 100);
            talker.abort_after = r.below(c.talkers[0].bytes + bytes + 1);
        }
    }
}

// --- the third edition ---

// Checksums, and large sends, of which the port keeps the fewer the larger they are.
void leave_work_to_port(std::uint64_t seed, unsigned host, HostPlan& plan) {
    Random r(seed, "offloads", host);
    if (!plan.offloads.transmit_chains || r.chance(0.5)) return;
    plan.offloads.transmit_tcp_checksum = true;
    plan.offloads.transmit_ipv4_checksum = r.chance(0.7);
    if (r.chance(0.3)) return;
    plan.offloads.large_send = static_cast<unsigned>(r.log_between(2, 44));
    plan.port_keeps = plan.port_keeps * 2 / plan.offloads.large_send;
}

}  // namespace

Scenario::Scenario(std::uint64_t number, unsigned its_edition) : seed(number), edition(its_edition) {
    Random r(seed, "scenario");
    harsh = r.chance(0.5);
    ipv6 = Random(seed, "family").chance(0.3);
    ipv4 = !ipv6;
    if (edition >= 2 && Random(seed, "families").chance(0.2)) ipv4 = ipv6 = true;
    const std::uint16_t least_mtu = ipv6 ? 1280 : 576;
    calm = r.chance(0.9) ? r.log_between(Duration(1ms), 60s) : r.log_between(Duration(1s), 600s);
    for (unsigned i = 0; i < 2; ++i) {
        wires[i] = draw_wire(seed, i, harsh);
        hosts[i] = draw_host(seed, i, harsh, calm, least_mtu);
        if (edition < 2) continue;
        draw_jumbo(seed, i, hosts[i]);
        draw_patience(seed, i, harsh, hosts[i].tcp);
        draw_algorithms(seed, i, hosts[i].tcp);
        if (edition >= 3) leave_work_to_port(seed, i, hosts[i]);
    }
    if (edition >= 2) middlebox = draw_middlebox(seed);
    mtu_changes = draw_mtu_changes(seed, calm, least_mtu);
    if (harsh) outages = draw_outages(seed, calm);
    conversations = draw_conversations(*this);
    if (edition >= 2) {
        draw_broadcast(*this);
        be_patient(*this);
    }
    for (std::size_t i = 0; i < conversations.size(); ++i)
        conversations[i].ipv6 = ipv6 && (!ipv4 || Random(seed, "conversation's family", i).chance(0.5));
    settle = draw_settle(*this);
}

std::string Scenario::describe() const {
    std::string text;
    const auto say = [&](const char* format, auto... values) {
        char line[300];
        std::snprintf(line, sizeof line, format, values...);
        text += line;
    };
    const auto s = [](Duration d) { return static_cast<double>(d.count()) / 1e9; };
    say("seed %llu, edition %u,%s%s %s, calm at %.6f s, %.1f s to settle\n",
        static_cast<unsigned long long>(seed), edition, ipv4 ? " IPv4," : "", ipv6 ? " IPv6," : "",
        harsh ? "harsh" : "mild", s(calm), s(settle));
    say("options lost on the way:%s%s%s\n", middlebox.timestamps ? " timestamps" : "",
        middlebox.sack ? " SACK" : "", middlebox.window_scale ? " window scale" : "");
    for (const WirePlan& w : wires)
        say("wire %d: loss %.3f, bursts %.3f/%.3f/%.3f, duplication %.3f, reordering %.3f, corruption %.3f, "
            "delay %.6f s, jitter %.6f s, %llu bit/s, queue %llu\n",
            static_cast<int>(&w - wires), w.loss, w.burst_enter, w.burst_leave, w.burst_loss, w.duplication,
            w.reordering, w.corruption, s(w.delay), s(w.jitter),
            static_cast<unsigned long long>(w.bits_per_second),
            static_cast<unsigned long long>(w.queue_bytes));
    for (const Outage& o : outages)
        say("outage at %.6f s for %.6f s, ways %d %d\n", s(o.from), s(o.length), o.ways[0], o.ways[1]);
    for (const MtuChange& m : mtu_changes)
        say("path MTU %u at %.6f s%s\n", m.mtu, s(m.at), m.silent ? ", silently" : "");
    for (const HostPlan& h : hosts) {
        say("host %d: MTU %u, window %u, send limit %u, connections %zu, half-open %zu, delayed ACK %.3f s, "
            "least RTO %.3f s, TIME-WAIT %.1f s, mbufs %u %u %u, poll %.6f s, port keeps %u, chains %d, "
            "checksums %d %d, large sends %u, epoch %d\n",
            static_cast<int>(&h - hosts), h.mtu, h.tcp.receive_window, h.tcp.send_limit,
            h.tcp.max_connections, h.tcp.max_half_open, s(h.tcp.delayed_ack), s(h.tcp.min_rto),
            s(h.tcp.time_wait), h.data_mbufs, h.header_mbufs, h.receive_mbufs, s(h.poll_interval),
            h.port_keeps, h.offloads.transmit_chains, h.offloads.transmit_ipv4_checksum,
            h.offloads.transmit_tcp_checksum, h.offloads.large_send, static_cast<int>(h.epoch));
        say("  %s, SACK %d, an ACK for %u, windows begin with %u and grow by %llu, keep-alive %.3f s, then "
            "%u "
            "every %.3f s, user timeout %.3f s, FIN-WAIT-2 %.3f s\n",
            h.tcp.congestion == tcp::CongestionAlgorithm::kCubic ? "CUBIC" : "NewReno", h.tcp.sack,
            h.tcp.ack_every, h.tcp.first_window, static_cast<unsigned long long>(h.tcp.max_window_growth),
            s(h.tcp.keep_alive), h.tcp.keep_alive_probes, s(h.tcp.keep_alive_interval), s(h.tcp.user_timeout),
            s(h.tcp.fin_wait_2));
        for (const Drought& d : h.droughts)
            say("  drought of pool %d at %.6f s for %.6f s, %u left\n", static_cast<int>(d.pool), s(d.from),
                s(d.length), d.left);
        for (const ClockJump& j : h.jumps)
            say("  clock jumps at %.6f s by %.6f s\n", s(j.at), s(j.by));
        for (const Duration& at : h.reboots)
            say("  reboots at %.6f s\n", s(at));
    }
    for (const ConversationPlan& c : conversations) {
        say("conversation at %.6f s by host %u over IPv%d, %u attempts\n", s(c.at), c.opener, c.ipv6 ? 6 : 4,
            c.attempts);
        for (const TalkerPlan& t : c.talkers)
            say("  %llu bytes by %llu, %u%% by reference, think %.6f s%s, %u pauses up to %.6f s, keeps "
                "%u%%, "
                "ending %d after %llu, broadcast %llu\n",
                static_cast<unsigned long long>(t.bytes), static_cast<unsigned long long>(t.most_at_once),
                t.reference_percent, s(t.think), t.early ? ", early" : "", t.pauses, s(t.longest_pause),
                t.keep_percent, static_cast<int>(t.ending), static_cast<unsigned long long>(t.abort_after),
                static_cast<unsigned long long>(t.broadcast));
    }
    return text;
}

}  // namespace millrace::sim
