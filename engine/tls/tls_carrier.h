#pragma once
// TLS over any carrier, as a carrier (netstack/carrier.h): what stands on it, the endpoint, need not know
// which of its connections are secured. Connections of plain listeners pass through with one branch.
//
//     handshakes.h   the first bytes are collected and judged, then handshakes, so many a poll
//     receiving.h    records -> plaintext, in the buffer in which they came
//     sending.h      what is written in one go -> one record, sealed into the carrier's room
//     ending.h       close_notify both ways, failures, timeouts
//
// kAccepted and kConnected are said when TLS is established, and not before: until then the engine knows
// nothing of a connection that was accepted, and holds nothing for it.
//
// How little a stranger can make it hold: until its hello has come whole, the bytes of it (handshake_memory);
// then its state in OpenSSL, of which max_handshakes are not yet established; all that until
// handshake_timeout. OpenSSL allocates memory in handshakes, and a buffer for each record that it lets go of
// with it.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/endpoint/chains.h"
#include "engine/endpoint/frame_writer.h"
#include "engine/proxy/proxy_protocol.h"
#include "engine/tls/client_context.h"
#include "engine/tls/connection.h"
#include "engine/tls/counters.h"
#include "engine/tls/hello.h"
#include "engine/tls/plaintexts.h"
#include "engine/tls/records.h"
#include "engine/tls/server_context.h"
#include "engine/tls/wire.h"
#include "netstack/base/slot_list.h"
#include "netstack/carrier.h"

namespace millrace::tls {

struct TlsConfig {
    Duration handshake_timeout = 10s;  // of accepted connections, from TCP's to TLS's being established
    Duration linger = 1s;              // for the peer to take an alert and go
    // Handshakes that begin in one poll: the private key's operation, 25 µs with P-256, 600 µs with RSA-2048,
    // is what the established connections wait for.
    unsigned begun_per_poll = 1;
    unsigned continued_per_poll = 4;    // cheaper steps of those that have begun
    std::size_t max_handshakes = 1024;  // begun and not established; more wait with their hello collected
    std::size_t handshake_memory = 64u << 20;  // bytes: what has come of handshakes and waits for its turn
    // For records that come cut, 16 KiB each. When they are used up, which takes more such records than a
    // poll brings, who has sent them is read no more until the next.
    std::size_t plaintext_buffers = 1024;
    // Accepted connections begin with a header of the PROXY protocol, and those that do not are ended.
    bool proxy_protocol = false;
};

template <net::Carrier C>
class TlsCarrier {
  public:
    using Bytes = PlainBytes<typename C::Bytes>;
    using Shared = typename C::Shared;
    using Event = net::Event<Bytes>;

    // `carrier` outlives it, and is used through it from now on.
    static Expected<std::unique_ptr<TlsCarrier>> create(C& carrier, const TlsConfig& config);
    ~TlsCarrier();
    TlsCarrier(const TlsCarrier&) = delete;
    TlsCarrier& operator=(const TlsCarrier&) = delete;

    // --- TLS ---
    // As listen(), for TLS: there must be a server_context() before the first poll.
    Expected<void> listen_secure(net::SocketAddress address);
    // What connections show that are accepted from now on; the others go on as they are. Tickets of before
    // are still read.
    void set_server_context(std::unique_ptr<ServerContext> context) {
        if (server_) context->tickets() = server_->tickets();
        server_ = std::move(context);
    }
    // Contexts that come through the box replace the server's, looked at once a poll. The box lives longer.
    void take_contexts_from(ServerContextBox& box) { box_ = &box; }
    // As connect(), for TLS. The context lives longer than the connection.
    net::ConnId connect_secure(net::SocketAddress address, ClientContext& client, Time now);
    // Begins TLS, in the client's role, on an established plain connection, all of whose received bytes have
    // been dealt with (a proxy's answer to CONNECT): kConnected or kClosed follows.
    void secure(net::ConnId id, ClientContext& client);
    bool secured(net::ConnId id) const { return slots_[net::index(id)].state == State::kOpen; }
    // Of an accepted connection: the time that passed from TCP's being established to TLS's.
    Duration handshake_took(net::ConnId id) const;
    // One clause on why the connection of this batch's kClosed ended; empty where the reason says it all.
    std::string_view why(net::ConnId id) const;
    // Of an established secure connection; for inspection.
    SSL* ssl(net::ConnId id) const { return slots_[net::index(id)].ssl; }
    const Counters& tls_counters() const { return counters_; }
    std::size_t handshakes_under_way() const { return handshaking_; }
    std::size_t inputs_in_use() const { return inputs_.blocks_in_use(); }
    std::size_t plaintexts_in_use() const { return plaintexts_.in_use(); }
    C& below() { return carrier_; }

    // --- the carrier's concept ---
    std::span<Event> poll(Time now);
    void flush(Time now);
    Expected<void> listen(net::SocketAddress address) { return carrier_.listen(address); }
    void stop_listening() { carrier_.stop_listening(); }
    net::ConnId connect(net::SocketAddress address, Time now);
    void close(net::ConnId id);
    void abort(net::ConnId id);
    bool prepare(net::ConnId id, std::size_t n);
    std::span<std::byte> room(net::ConnId id);
    void commit(net::ConnId id, std::size_t n);
    Shared make_shared(std::span<const std::byte> copy) { return carrier_.make_shared(copy); }
    bool append(net::ConnId id, const Shared& shared);
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        carrier_.visit_shared(shared, visitor);
    }
    // Of secured connections with what sealing adds.
    std::size_t unsent(net::ConnId id) const {
        return carrier_.unsent(id) + (staged_for_ == id ? staged_ : 0);
    }
    void pause(net::ConnId id);
    void resume(net::ConnId id);
    void set_timer(net::ConnId id, Time at) { carrier_.set_timer(id, at); }
    void cancel_timer(net::ConnId id) { carrier_.cancel_timer(id); }
    // By the PROXY protocol, where it is spoken in front of TLS.
    net::SocketAddress peer(net::ConnId id) const {
        const bool named = peers_.data() != nullptr && slots_[net::index(id)].state != State::kPlain &&
                           !peers_[net::index(id)].ip.is_unspecified();
        return named ? peers_[net::index(id)] : carrier_.peer(id);
    }
    net::SocketAddress local(net::ConnId id) const { return carrier_.local(id); }
    std::size_t connections() const { return carrier_.connections(); }
    std::size_t max_connections() const { return carrier_.max_connections(); }
    static constexpr std::size_t idle_bytes() { return C::idle_bytes() + sizeof(Connection); }
    void populate(std::size_t connections) {
        carrier_.populate(connections);
        slots_.populate(connections);
    }
    bool under_pressure() const { return carrier_.under_pressure(); }
    // Without OpenSSL's own memory, some kilobytes for each secured connection.
    std::size_t memory_in_use() const {
        return carrier_.memory_in_use() + slots_.resident_bytes() + inputs_.memory_in_use() +
               plaintexts_.memory_in_use() + stage_.capacity() + peers_.resident_bytes();
    }
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const {
        carrier_.visit_counters(visitor);
        visit_tls_counters(visitor);
    }
    template <class Visitor>
    void visit_own_counters(Visitor&& visitor) const {
        carrier_.visit_own_counters(visitor);
        visit_tls_counters(visitor);
    }

  private:
    template <class Visitor>
    void visit_tls_counters(Visitor&& visitor) const {
        for (const CounterName& name : kCounterNames)
            visitor(name.name, (counters_.*name.counter).value());
    }

    using Below = net::Event<typename C::Bytes>;
    struct Ended {
        net::ConnId id;
        net::CloseReason reason;
        std::string why;
    };

    TlsCarrier(C& carrier, const TlsConfig& config, ReservedArray<Connection> slots, ChainPool inputs,
               PlaintextPool plaintexts, ReservedArray<net::SocketAddress> peers);
    Connection& slot(net::ConnId id) { return slots_[net::index(id)]; }
    void translate(Below& event);
    void translate_secure(Below& event, Connection& c);
    void emit(net::ConnId id, net::EventKind kind, net::CloseReason reason = net::CloseReason::kNone,
              Bytes bytes = {}) {
        events_.push_back({id, kind, reason, std::move(bytes)});
    }

    // --- handshakes.h ---
    bool secure_listener(const net::SocketAddress& local) const;
    Connection& fresh(net::ConnId id);
    void await_hello(net::ConnId id);
    void await_turn(net::ConnId id, Connection& c);
    void collect(net::ConnId id, Connection& c, std::span<const std::byte> bytes);
    void judge(net::ConnId id, Connection& c);
    bool past_proxy_header(net::ConnId id, Connection& c);
    void answer_plainly(net::ConnId id, Connection& c, std::span<const std::byte> answer);
    void take_turns();
    void begin(net::ConnId id, Connection& c);
    void go_on(net::ConnId id, Connection& c);
    void established(net::ConnId id, Connection& c, ChainId& more);

    // --- receiving.h ---
    void receive(net::ConnId id, Connection& c, typename C::Bytes& bytes);
    bool took(net::ConnId id, Connection& c, Outcome outcome);
    bool swallow(net::ConnId id, Connection& c);
    bool receive_into_pool(net::ConnId id, Connection& c);
    void fill(net::ConnId id, Connection& c, PlaintextPool::Id buffer);
    void receive_in_place(net::ConnId id, Connection& c, typename C::Bytes& bytes);
    bool receive_collected(net::ConnId id, Connection& c);
    void receive_chain(net::ConnId id, Connection& c, ChainId& chain);
    void hold_back(net::ConnId id, Connection& c, std::span<const std::byte> bytes);
    void receive_held_back();

    // --- sending.h ---
    static bool write_below(void* self, std::span<const std::byte> out);
    void seal();
    void drop_staged(net::ConnId id);

    // --- ending.h ---
    void fail(net::ConnId id, Connection& c, std::string why);
    void end(net::ConnId id, Connection& c, net::CloseReason reason, std::string why);
    void tell(net::ConnId id, Connection& c, net::CloseReason reason, std::string why);
    void tell_owed();
    void linger(net::ConnId id, Connection& c);
    void on_peer_closed(net::ConnId id, Connection& c);
    void on_closed(net::ConnId id, Connection& c, net::CloseReason reason);
    void on_timer(net::ConnId id, Connection& c);
    void release(net::ConnId id, Connection& c);

    C& carrier_;
    const TlsConfig config_;
    ReservedArray<Connection> slots_;
    ChainPool inputs_;
    PlaintextPool plaintexts_;
    ReservedArray<net::SocketAddress> peers_;  // whom the PROXY protocol has named
    std::vector<Event> events_;
    Wire wire_{this, write_below};
    net::ConnId working_on_ = net::kNoConn;  // whose SSL is at work
    bool room_is_there_ = false;             // what it writes was prepared for
    bool polling_ = false;
    Time now_{};

    // Plaintext of one connection that is written and not sealed yet.
    std::vector<std::byte> stage_;
    std::size_t staged_ = 0;
    net::ConnId staged_for_ = net::kNoConn;

    std::unique_ptr<ServerContext> server_;
    ServerContextBox* box_ = nullptr;
    std::vector<net::SocketAddress> secure_listeners_;
    std::size_t handshaking_ = 0;  // begun and not established
    SlotList<Connection, &Connection::turn> to_begin_{slots_};
    SlotList<Connection, &Connection::turn> to_continue_{slots_};
    SlotList<Connection, &Connection::turn> to_receive_{slots_};  // held back, and not paused
    std::size_t highest_ = 0;                                     // 1 + the highest index ever secured
    std::vector<Ended> owed_;   // failed outside poll(): to be told with the next
    std::vector<Ended> ended_;  // of this batch, with the reasons that why() gives
    Counters counters_;
};

}  // namespace millrace::tls

#include "engine/tls/handshakes.h"
#include "engine/tls/receiving.h"
#include "engine/tls/sending.h"
#include "engine/tls/translating.h"
// (ending last: it is where every other file ends a connection)
#include "engine/tls/ending.h"
