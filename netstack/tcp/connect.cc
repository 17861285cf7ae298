// Active opens, and the choice of the local end: a 4-tuple that is free and whose replies come to this shard.

#include <numeric>

#include "netstack/ip/local_addresses.h"
#include "netstack/tcp/isn.h"
#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

namespace {
constexpr std::uint16_t kFirstPort = 1024;  // RFC 6056 section 3.2
constexpr std::uint32_t kPorts = 65536 - kFirstPort;
// From one port to the next choice, round and round through all of them. Neighbours would do, but for the
// peer's RSS: the Toeplitz hash is linear, and those of an IPv6 address whose replies come home to one of two
// shards fell to two of four at the peer, as long as their upper four bits were the same.
constexpr std::uint32_t kPortStride = 39869;
static_assert(std::gcd(kPortStride, kPorts) == 1);
// Tuples looked at in one connect(), for each shard that shares them. The sequence comes back to a tuple only
// after all others, so it finds one at once until nearly all are taken.
constexpr std::uint32_t kMostTries = 4096;

// A connection's ends are of one family, and of one scope: a link-local address says nothing to those who
// are not on the link (RFC 4007 section 4, RFC 6724 section 5 rule 2).
enum class Scope : std::uint8_t { kIpv4, kLinkLocal, kGlobal };

Scope scope_of(const IpAddress& ip) {
    return ip.is_v4() ? Scope::kIpv4 : ip.is_link_local() ? Scope::kLinkLocal : Scope::kGlobal;
}
}  // namespace

void Tcp::begin_choosing_ports() {
    next_tuple_ = siphash(config_.secret, shard_, 0);
}

// RFC 6056 section 3.3.3: a keyed offset for each remote end, and one counter. Walking all ports of an
// address before the next address keeps the cost of a choice constant up to millions of connections.
void Tcp::begin_choice(const SocketAddress& remote) {
    choice_ = {.remote = remote, .offset = siphash(config_.secret, remote.ip, {}, remote.port)};
    for (const AddressRange& range : local_)
        if (scope_of(range.first) == scope_of(remote.ip))
            choice_.tuples += std::uint64_t{range.count} * kPorts;
}

SocketAddress Tcp::local_end(std::uint64_t tuple) const {
    const AddressRange* range = local_.data();
    const auto serves = [&] { return scope_of(range->first) == scope_of(choice_.remote.ip); };
    for (; !serves() || tuple >= std::uint64_t{range->count} * kPorts; ++range)
        if (serves()) tuple -= std::uint64_t{range->count} * kPorts;
    return {range->first.plus(tuple / kPorts),
            static_cast<std::uint16_t>(kFirstPort + tuple % kPorts * kPortStride % kPorts)};
}

// The next local end whose replies come to this shard, and its bucket on its way into the cache: among
// millions of connections each of these reads would be a miss, an eighth of what connecting costs.
bool Tcp::propose_local() {
    const std::uint32_t tries = kMostTries * rss_->queues();
    for (std::uint32_t i = 0; i < tries && i < choice_.tuples; ++i) {
        choice_.local = local_end((choice_.offset + next_tuple_++) % choice_.tuples);
        if (rss_->queues() > 1 && rss_->queue_of(choice_.remote, choice_.local) != shard_) continue;
        choice_.hash = hash_of(choice_.remote, choice_.local);
        table_.prefetch(choice_.hash);
        return choice_.proposed = true;
    }
    return false;
}

std::optional<Tcp::FreeTuple> Tcp::choose_local(const SocketAddress& remote) {
    if (choice_.tuples == 0 || choice_.remote != remote) begin_choice(remote);
    for (std::uint32_t i = 0; i < kMostTries && i < choice_.tuples; ++i) {
        if (!choice_.proposed && !propose_local()) break;
        choice_.proposed = false;
        const FreeTuple found{choice_.local, find(choice_.hash, remote, choice_.local)};
        if (found.old != kNoBlock && !time_wait_may_be_reopened(slab_[found.old])) continue;
        propose_local();  // for the next connect()
        return found;
    }
    return std::nullopt;
}

ConnId Tcp::connect(SocketAddress remote, Time now) {
    set_now(now);
    // RFC 9293 section 3.9.2.3 (MUST-46): no host has such an address.
    if (net::is_martian_source(remote.ip)) {
        ++counters_.attempt_fails;
        return net::kNoConn;
    }
    const auto tuple = choose_local(remote);
    if (!tuple) {
        ++counters_.no_ports;
        return net::kNoConn;
    }
    Seq iss = initial_sequence(config_.secret, tuple->local, remote, now_);
    if (tuple->old != kNoBlock) {
        iss = max(iss, slab_[tuple->old].snd_nxt + 1);  // above all that the old incarnation used
        ++counters_.time_wait_reused;
        leave_time_wait(handle(ConnId{tuple->old}));
    }
    const std::uint32_t slot = open(remote, tuple->local, State::kSynSent, iss);
    if (slot == kNoBlock) {
        ++counters_.attempt_fails;
        return net::kNoConn;
    }
    slab_[slot].set(kActiveOpen);
    ++counters_.active_opens;
    return ConnId{slot};
}

// None of their SYNs has left: nothing leaves while addresses are tentative. They end by their timers, which
// are held back where there is no room for events.
void Tcp::use_addresses(std::vector<AddressRange> local, Time now) {
    set_now(now);
    local_ = std::move(local);
    choice_ = {};
    for (std::uint32_t slot = 0; slot < slab_.touched(); ++slot) {
        Handle h = handle(ConnId{slot});
        if (h.c.state != State::kSynSent || is_local(this->local(h.id()).ip)) continue;
        h.c.clear(kSynDue);
        arm_rexmit(h, 0);
    }
}

}  // namespace millrace::tcp
