#include "tests/sim/simulation.h"

#include <algorithm>

#include "netstack/tcp/isn.h"
#include "tests/sim/failure.h"
#include "tests/sim/middlebox.h"
#include "tests/sim/router.h"

namespace millrace::sim {
namespace {

constexpr Duration kNoTime = Duration::max();
// After the conversations: TIME-WAIT, and the retries towards ends that are gone.
constexpr Duration kAfterwards = 30min;

}  // namespace

void Tally::add(const Talker& talker) {
    ++outcomes[static_cast<unsigned>(talker.outcome())];
    if (talker.outcome() == Outcome::kFailed) ++reasons[static_cast<unsigned>(talker.reason())];
    bytes += talker.received();
}

Simulation::Simulation(const Scenario& scenario, PoolCache& pools, Trace& trace)
    : scenario_(scenario),
      trace_(trace),
      hosts_{std::make_unique<Host>(scenario, 0, pools), std::make_unique<Host>(scenario, 1, pools)},
      cables_{Cable(scenario, 0), Cable(scenario, 1)} {
    set_epochs();
    schedule_troubles();
    for (const ConversationPlan& plan : scenario.conversations) {
        Conversation& c = conversations_.emplace_back(plan, scenario, conversations_.size());
        schedule(plan.at, [this, &c] { open(c, 10); });
    }
}

// Places the clocks so that the first conversation's sequence numbers, or the timestamps, soon wrap.
void Simulation::set_epochs() {
    const ConversationPlan& first = scenario_.conversations.front();
    const net::SocketAddress there = Host::address(first.ipv6, 1 - first.opener);
    const auto opener_end = tcp::Inspector::next_local(hosts_[first.opener]->tcp(), there);
    require(opener_end.has_value(), "no port is free");
    for (unsigned i = 0; i < 2; ++i) {
        Random r(scenario_.seed, "epoch", i);
        const tcp::Config& config = hosts_[i]->plan().tcp;
        const net::SocketAddress local = i == first.opener ? *opener_end : there;
        const net::SocketAddress remote = i == first.opener ? there : *opener_end;
        const auto margin = static_cast<std::uint32_t>(r.log_between(1, 1 << 16));
        Duration epoch = 1h + Duration(static_cast<std::int64_t>(r.below(std::uint64_t{1} << 53)));
        if (hosts_[i]->plan().epoch == Epoch::kIsnWraps) {
            const tcp::Seq hash = tcp::initial_sequence(config.secret, local, remote, Time{});
            epoch = 4us * std::int64_t{0u - hash.value - margin} - first.at;
        } else if (hosts_[i]->plan().epoch == Epoch::kTimestampsWrap) {
            const std::uint32_t offset = tcp::timestamp_offset(config.secret, local.ip, remote.ip);
            epoch = 1ms * std::int64_t{0u - offset - margin} - first.at;
        }
        hosts_[i]->set_epoch(std::max<Duration>(epoch, 1h));
    }
}

void Simulation::schedule(Duration at, std::function<void()> what) {
    appointments_.push({at, appointments_made_++, std::move(what)});
}

void Simulation::schedule_troubles() {
    for (unsigned i = 0; i < 2; ++i) {
        for (const Drought& drought : hosts_[i]->plan().droughts) {
            schedule(drought.from, [this, i, &drought] {
                trace_.note(now_, "mbufs run short");
                hosts_[i]->begin_drought(drought);
            });
            schedule(std::min(drought.from + drought.length, scenario_.calm),
                     [this, i, &drought] { hosts_[i]->end_drought(drought.pool); });
        }
        for (const ClockJump& jump : hosts_[i]->plan().jumps)
            schedule(jump.at, [this, i, &jump] {
                trace_.note(now_, "a clock jumps");
                hosts_[i]->jump(jump.by);
            });
        for (const Duration at : hosts_[i]->plan().reboots)
            schedule(at, [this, i] { reboot(i); });
    }
    // A path that swallows what is too long costs two timeouts for each size that is tried, of a minute each
    // at worst.
    const bool silent = std::any_of(scenario_.mtu_changes.begin(), scenario_.mtu_changes.end(),
                                    [](const MtuChange& change) { return change.silent; });
    schedule(scenario_.calm + scenario_.settle + (silent ? 10min : 0min), [this] { give_up_the_dead(); });
}

// --- conversations ---

void Simulation::open(Conversation& conversation, unsigned tries_left) {
    const unsigned from = conversation.plan.opener;
    Host& host = *hosts_[from];
    const net::SocketAddress there = Host::address(conversation.plan.ipv6, 1 - from);
    const net::ConnId id = host.tcp().connect(there, host.local(now_));
    if (id != net::kNoConn) {
        require(host.talkers[net::index(id)] == nullptr, "connect() gave a slot in use");
        conversation.talkers[0].begin(host, id, Phase::kOpening);
        conversation.opener_end = host.tcp().local(id);
        conversation.opened = ++openings_;
        return;
    }
    require(scenario_.harsh, "no slot for a connection");
    if (tries_left > 0)
        schedule(now_ + 5s, [this, &conversation, tries_left] { open(conversation, tries_left - 1); });
    else
        conversation.talkers[0].never_opened();
}

// An opener whose connection failed tries again, with streams from their beginning.
void Simulation::reopen_if_failed(Conversation& conversation) {
    if (conversation.talkers[0].outcome() != Outcome::kFailed || conversation.attempts <= 1 ||
        now_ >= scenario_.calm + scenario_.settle / 2)
        return;
    Conversation& again = conversations_.emplace_back(conversation.plan, scenario_, conversations_.size());
    again.attempts = conversation.attempts - 1;
    schedule(now_ + 10ms, [this, &again] { open(again, 10); });
}

void Simulation::reboot(unsigned number) {
    trace_.note(now_, number == 0 ? "host 0 reboots" : "host 1 reboots");
    Host& host = *hosts_[number];
    for (Conversation& c : conversations_)
        for (Talker& talker : c.talkers) {
            if (talker.phase() == Phase::kUnborn || &talker.host() != &host) continue;
            talker.drop_kept();
            if (talker.alive()) talker.end(Outcome::kRebooted);
        }
    host.shut_down();
    require(host.missing() == 0, "a stack that was destroyed has kept mbufs");
    host.boot();
}

// Both ends of a conversation are done by now. One whose peer is gone for good is given up, as an engine's
// idle timeout does.
void Simulation::give_up_the_dead() {
    for (Conversation& c : conversations_)
        for (unsigned i = 0; i < 2; ++i) {
            Talker& talker = c.talkers[i];
            if (!talker.alive()) continue;
            if (talker.other->alive())
                throw Failure{"a conversation does not come to its end: " + c.talkers[0].describe() + "; " +
                              c.talkers[1].describe()};
            require(talker.other->outcome() != Outcome::kFinished, "an end waits for one that has finished");
            talker.host().tcp().abort(talker.id());
            talker.end(Outcome::kIdle);
        }
}

bool Simulation::all_over() const {
    return std::all_of(conversations_.begin(), conversations_.end(), [](const Conversation& c) {
        return c.talkers[0].phase() == Phase::kOver && !c.talkers[1].alive();
    });
}

// --- the clock ---

Duration Simulation::next_poll(unsigned number) const {
    const Host& host = *hosts_[number];
    Duration next = host.next(now_).value_or(kNoTime);
    next = std::min(next, cables_[1 - number].next().value_or(kNoTime));
    for (const Talker* talker : host.talkers)
        if (talker != nullptr) next = std::min(next, talker->next().value_or(kNoTime));
    if (next == kNoTime) return kNoTime;
    return std::max({next, host.last_poll + host.plan().poll_interval, host.last_poll + 1us});
}

void Simulation::run() {
    const std::uint64_t most_polls = 3'000'000;
    for (std::uint64_t polls = 0;; ++polls) {
        require(polls < most_polls, "the simulation does not end");
        const std::array<Duration, 2> due{next_poll(0), next_poll(1)};
        const Duration next = std::min(due[0], due[1]);
        if (next == kNoTime && all_over()) break;
        const Duration appointed = appointments_.empty() ? kNoTime : appointments_.top().at;
        require(next != kNoTime || appointed != kNoTime, "nothing will ever happen again");
        now_ = std::max(now_, std::min(next, appointed));
        require(now_ < scenario_.calm + scenario_.settle + kAfterwards, "the hosts do not come to rest");
        if (appointed <= now_) {
            const auto what = appointments_.top().what;
            appointments_.pop();
            what();
            // What was asked of TCP leaves with a flush, which is part of a poll.
            poll(0);
            poll(1);
            continue;
        }
        for (unsigned i = 0; i < 2; ++i)
            if (due[i] <= now_) poll(i);
    }
    for (Conversation& c : conversations_)
        for (unsigned i = 0; i < 2; ++i) {
            check_outcome(c, i);
            c.talkers[i].drop_kept();
        }
    for (auto& host : hosts_)
        check_empty(*host);
}

void Simulation::poll(unsigned number) {
    Host& host = *hosts_[number];
    Cable& in = cables_[1 - number];
    host.last_poll = now_;
    host.stack().begin_poll();
    while (host.has_room() && in.next() && *in.next() <= now_) {
        const Cable::Arrival arrival = in.take();
        if (host.arrive(arrival.frame) && !arrival.damaged) onlooker_.arrived(number, arrival.frame);
    }
    host.receive(now_);
    host.stack().run_timers(host.local(now_));
    for (net::Stack::Event& event : host.stack().events())
        handle(number, event);
    for (const net::ConnId ghost : ghosts_)
        host.tcp().abort(ghost);
    ghosts_.clear();
    for (std::size_t i = 0; i < host.talkers.size(); ++i)
        if (host.talkers[i] != nullptr) host.talkers[i]->act(now_);
    transmit(number);
    check(number);
}

void Simulation::handle(unsigned number, net::Stack::Event& event) {
    trace_.event(now_, number, event.conn, event.kind, event.reason, event.bytes.bytes().size());
    Host& host = *hosts_[number];
    if (std::find(ghosts_.begin(), ghosts_.end(), event.conn) != ghosts_.end()) return;
    if (event.kind == net::EventKind::kAccepted) return accepted(number, event.conn);
    Talker* talker = host.talkers[net::index(event.conn)];
    require(talker != nullptr, "an event of a connection that is over");
    talker->handle(event, now_);
    if (talker->phase() != Phase::kOver) return;
    for (Conversation& c : conversations_)
        if (&c.talkers[0] == talker) return reopen_if_failed(c);
}

// The other end of the newest conversation from that port. A SYN cookie is as good as a connection for as
// long as it is fresh: an ACK that comes late makes a ghost of one that is over (RFC 4987 section 3.6), which
// is laid at once.
void Simulation::accepted(unsigned number, net::ConnId id) {
    Host& host = *hosts_[number];
    require(host.talkers[net::index(id)] == nullptr, "a connection was accepted on a slot in use");
    const net::SocketAddress peer = host.tcp().peer(id);
    Conversation* newest = nullptr;
    for (Conversation& c : conversations_)
        if (c.plan.opener != number && c.opener_end == peer &&
            (newest == nullptr || c.opened > newest->opened))
            newest = &c;
    if (newest == nullptr) throw Failure{"a connection that nobody opened was accepted"};
    if (newest->talkers[1].phase() == Phase::kOver && host.tcp().counters().cookies_sent.value() > 0)
        return ghosts_.push_back(id);
    newest->talkers[1].begin(host, id, Phase::kOpen);
}

void Simulation::transmit(unsigned number) {
    Host& host = *hosts_[number];
    bool more = true;
    while (more) {
        more = host.stack().flush(host.local(now_));
        const auto packets = host.stack().outgoing();
        for (rte_mbuf* packet : packets)
            for (Bytes& frame : host.transmit(packet))
                put(number, frame);
        host.stack().sent(packets.size());
    }
}

void Simulation::put(unsigned number, Bytes& frame) {
    take_options_out(scenario_.middlebox, frame);
    onlooker_.sent(number, frame);
    const Fate fate = cables_[number].put(frame, now_);
    trace_.frame(now_, number, frame, fate);
    if (fate == Fate::kTooLong) too_long(number, frame);
}

// The router before the narrow part of the path tells the sender, or nobody.
void Simulation::too_long(unsigned sender, std::span<const std::byte> frame) {
    const MtuChange& mtu = *cables_[sender].mtu_at(now_);
    if (mtu.silent) return;
    const std::vector<std::byte> answer = packet_too_big(Host::mac(sender), frame, mtu.mtu);
    trace_.frame(now_, 2, answer, cables_[1 - sender].put(answer, now_));
}

// --- what must hold ---

void Simulation::check(unsigned number) {
    std::string wrong = hosts_[number]->inspector().check();
    if (!wrong.empty()) throw Failure{"host " + std::to_string(number) + ": " + wrong};
}

// Which ends there may be. In mild weather, and without an abort by plan, there is only one.
void Simulation::check_outcome(const Conversation& c, unsigned which) const {
    const Talker& talker = c.talkers[which];
    if (talker.outcome() == Outcome::kFailed) {
        const net::CloseReason reason = talker.reason();
        require(reason == net::CloseReason::kReset || reason == net::CloseReason::kTimedOut ||
                    reason == net::CloseReason::kUnreachable,
                "a reason that nothing accounts for");
    }
    if (scenario_.harsh) return;
    const bool aborts =
        c.plan.talkers[0].ending == Ending::kAbort || c.plan.talkers[1].ending == Ending::kAbort;
    if (aborts) {
        // A RST may be lost, even in mild weather: then an end that waits for the peer's FIN waits in vain.
        require(talker.outcome() != Outcome::kFailed || talker.reason() == net::CloseReason::kReset ||
                    talker.reason() == net::CloseReason::kTimedOut,
                "an abort is a reset to the other end, or its silence");
        return;
    }
    require(talker.outcome() == Outcome::kFinished, "a connection failed, and nothing accounts for it");
}

void Simulation::check_empty(Host& host) const {
    const tcp::Tcp& tcp = host.tcp();
    require(tcp.connections() == 0, "connections are left");
    require(tcp.in_time_wait() == 0, "connections are left in TIME-WAIT");
    require(tcp.half_open() == 0, "half-open connections are left");
    require(tcp.table_size() == 0, "entries of the table are left");
    require(tcp.timers_armed() == 0, "timers are left");
    require(tcp.send_queues() == 0, "send queues are left");
    require(tcp.reassemblies() == 0, "reassemblies are left");
    host.stack().begin_poll();  // the last events' bytes
    host.give_back_all();
    require(host.missing() == 0, "mbufs are left");
}

void Simulation::add_to(Tally& tally) const {
    for (const Conversation& c : conversations_)
        for (const Talker& talker : c.talkers)
            tally.add(talker);
    tally.frames += trace_.frames();
    tally.watched += onlooker_.judged();
}

}  // namespace millrace::sim
