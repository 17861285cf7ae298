#include "netstack/tcp/tcp.h"

#include <algorithm>
#include <bit>

#include "netstack/tcp/hash.h"

namespace millrace::tcp {

namespace {

// Puts the value of an Expected in its place; the first error stays.
template <class T>
void place(T& target, Expected<T> made, Expected<void>& all) {
    if (!all) return;
    if (made) {
        target = std::move(*made);
    } else {
        all = tl::unexpected(made.error());
    }
}

// RFC 6691: options are not subtracted from what we announce.
constexpr std::uint16_t kIpv4AndTcpHeaders = 40;
constexpr std::uint16_t kIpv6AndTcpHeaders = 60;
constexpr Duration kPoolInterval = 5ms, kPoolIntervalUnderPressure = 200us;
constexpr std::uint16_t kLeastMtu = 576;
constexpr std::uint16_t kLeastMtuIpv6 = 1280;  // RFC 8200 section 5

bool any_ipv6(const std::vector<AddressRange>& local) {
    return std::any_of(local.begin(), local.end(), [](const auto& range) { return !range.first.is_v4(); });
}

}  // namespace

Expected<std::unique_ptr<Tcp>> Tcp::create(const Config& config, rte_mempool* data_pool,
                                           rte_mempool* header_pool, std::vector<AddressRange> local,
                                           const net::Rss& rss, unsigned shard) {
    if (config.mtu < kLeastMtu)
        return fail("an MTU of " + std::to_string(config.mtu) + " is too small: use at least 576");
    if (any_ipv6(local) && config.mtu < kLeastMtuIpv6)
        return fail("an MTU of " + std::to_string(config.mtu) + " is too small for IPv6: use at least 1280");
    if (config.max_connections == 0 || config.max_connections >= kNoBlock / 2)
        return fail("max-connections must be between 1 and 2147483646");
    if (config.receive_window < config.mtu || config.receive_window > 1u << 30)
        return fail("the receive window must be between one MTU and 1 GiB");
    if (config.ack_every == 0) return fail("ack-every must be at least 1");
    for (rte_mempool* pool : {data_pool, header_pool}) {
        if (rte_pktmbuf_priv_size(pool) < kTxPrivateBytes)
            return fail("a TCP mbuf pool needs a private size of at least " +
                        std::to_string(kTxPrivateBytes));
    }
    if (rte_pktmbuf_data_room_size(header_pool) < kHeaderPoolRoom)
        return fail("the TCP header pool's mbufs need room for " + std::to_string(kHeaderPoolRoom) +
                    " bytes");
    if (rte_pktmbuf_data_room_size(data_pool) < RTE_PKTMBUF_HEADROOM + 536)
        return fail("the TCP data pool's mbufs are too small");

    std::unique_ptr<Tcp> tcp(new Tcp(config, data_pool, header_pool, std::move(local), rss, shard));
    const std::size_t n = config.max_connections;
    Expected<void> all;
    place(tcp->slab_, ConnectionSlab::create(n), all);
    place(tcp->extras_, ReservedArray<Extra>::create(n), all);
    place(tcp->table_, ConnectionTable::create(n), all);
    place(tcp->address_pairs_, ReservedArray<AddressPair>::create(n), all);
    place(tcp->send_queues_, BlockPool<SendQueue>::create(n), all);
    place(tcp->reassemblies_, BlockPool<Reassembly>::create(n), all);
    place(tcp->wheel_, net::Wheel::create(2 * n), all);
    place(tcp->known_paths_, PathMtuCache::create(config.secret), all);
    place(tcp->dirty_, SlotRing::create(n), all);
    place(tcp->ready_, SlotRing::create(n), all);
    if (!all) return tl::unexpected(all.error());
    return tcp;
}

Tcp::Tcp(const Config& config, rte_mempool* data_pool, rte_mempool* header_pool,
         std::vector<AddressRange> local, const net::Rss& rss, unsigned shard)
    : config_(config),
      data_pool_(data_pool),
      header_pool_(header_pool),
      rss_(&rss),
      shard_(shard),
      local_mss_(config.mtu - kIpv4AndTcpHeaders),
      local_mss_v6_(config.mtu - kIpv6AndTcpHeaders),
      shared_unit_(std::min<std::uint16_t>((any_ipv6(local) ? local_mss_v6_ : local_mss_) - kTimestampBytes,
                                           rte_pktmbuf_data_room_size(data_pool) - RTE_PKTMBUF_HEADROOM)),
      receive_scale_(0),
      delayed_ack_us_(static_cast<std::uint32_t>(config.delayed_ack / 1us)),
      min_rto_us_(static_cast<std::uint32_t>(config.min_rto / 1us)),
      most_held_each_(config.receive_window / 1024 + 64),
      most_held_(static_cast<std::uint32_t>(config.max_reassembly / rte_pktmbuf_data_room_size(data_pool))),
      local_(std::move(local)),
      events_(std::make_unique<Event[]>(kMaxEvents)),
      data_budget_(data_pool),
      header_budget_(header_pool) {
    while (config.receive_window >> receive_scale_ > 0xffff)
        ++receive_scale_;
    begin_choosing_ports();
}

Tcp::~Tcp() {
    for (std::uint32_t slot = 0; slot < slab_.touched(); ++slot)
        if (slab_[slot].state != State::kFree) release_buffers(slab_[slot]);
}

void Tcp::set_now(Time now) {
    if (now == now_) return;
    const bool long_ago =
        now - pool_seen_at_ >= (under_pressure_ ? kPoolIntervalUnderPressure : kPoolInterval);
    now_ = now;
    const auto ns = static_cast<std::uint64_t>(now.time_since_epoch().count());
    now_us_ = static_cast<std::uint32_t>(ns / 1000);
    now_ms_ = static_cast<std::uint32_t>(ns / 1'000'000);
    now_hours_ = static_cast<std::uint16_t>(ns / 3'600'000'000'000);
    if (long_ago) look_at_pool();
}

void Tcp::look_at_pool() {
    pool_seen_at_ = now_;
    data_budget_.recount();
    header_budget_.recount();
    receive_budget_.recount();
    under_pressure_ = !data_budget_.spares(0) || !header_budget_.spares(0);
}

void Tcp::receives_from(std::vector<rte_mempool*> pools) {
    receive_budget_ = ReceiveBudget(std::move(pools));
    most_held_ = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(receive_budget_.left() / 2, 0, std::int64_t{most_held_}));
}

void Tcp::limit_ipv6_mtu(std::uint16_t mtu) {
    local_mss_v6_ = std::min<std::uint16_t>(local_mss_v6_, std::max(mtu, kLeastMtuIpv6) - kIpv6AndTcpHeaders);
    shared_unit_ = std::min<std::uint16_t>(shared_unit_, local_mss_v6_ - kTimestampBytes);
}

std::uint32_t Tcp::hash_of(const SocketAddress& remote, const SocketAddress& local) const {
    return hash_flow(remote, local, config_.secret);
}

std::uint32_t Tcp::find(std::uint32_t hash, const SocketAddress& remote, const SocketAddress& local) const {
    return table_.find(hash, [&](std::uint32_t slot) {
        const Connection& c = slab_[slot];
        return c.remote_port == remote.port && c.local_port == local.port &&
               addresses(c) == AddressPair{remote.ip, local.ip} && c.state != State::kAborted;
    });
}

// --- events ---

void Tcp::push_event(Handle h, EventKind kind, CloseReason reason, rte_mbuf* packet) {
    Event& event = events_[event_count_++];
    event.conn = h.id();
    event.kind = kind;
    event.reason = reason;
    event.bytes = MbufBytes(packet);
}

std::span<Event> Tcp::events() {
    events_handed_out_ = event_count_;
    return {events_.get(), event_count_};
}

// An event that the engine did not see, because it came after events(), is kept for the poll that begins.
void Tcp::begin_poll() {
    for (std::size_t i = 0; i < events_handed_out_; ++i)
        events_[i].bytes = MbufBytes{};
    event_count_ -= events_handed_out_;
    for (std::size_t i = 0; i < event_count_; ++i)
        events_[i] = std::move(events_[events_handed_out_ + i]);
    events_handed_out_ = 0;
    time_waits_this_poll_ = 0;
    slab_.begin_poll();
}

// Slots whose events wait for the next poll: held data after resume(), a closing that needs an event.
void Tcp::mark_ready(Handle h) {
    if (h.c.has(kInReadyList)) return;
    h.c.set(kInReadyList);
    ready_.push(h.slot);
}

std::span<const TxSegment> Tcp::segments() const {
    return tx_.view();
}
void Tcp::clear_segments() {
    tx_.clear();
}

// --- what others ask ---

SocketAddress Tcp::peer(ConnId id) const {
    const Connection& c = connection(id);
    return {addresses(c).remote, c.remote_port};
}

SocketAddress Tcp::local(ConnId id) const {
    const Connection& c = connection(id);
    return {addresses(c).local, c.local_port};
}

std::size_t Tcp::connections() const {
    return slab_.in_use() - time_wait_count_;
}
std::size_t Tcp::max_connections() const {
    return slab_.capacity();
}

std::size_t Tcp::memory_in_use() const {
    return slab_.resident_bytes() + extras_.resident_bytes() + table_.resident_bytes() +
           address_pairs_.resident_bytes() + send_queues_.resident_bytes() + reassemblies_.resident_bytes() +
           wheel_.resident_bytes() + known_paths_.resident_bytes() + dirty_.resident_bytes() +
           ready_.resident_bytes();
}

}  // namespace millrace::tcp
