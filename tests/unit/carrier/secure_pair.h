#pragma once
// Any pair of carriers with TLS over both, every connection secured.

#include <memory>
#include <span>
#include <utility>

#include "engine/tls/tls_carrier.h"
#include "tests/unit/carrier/carrier_pair.h"
#include "tests/unit/tls/certificates.h"

namespace millrace::net::test {

// A TlsCarrier whose listen() and connect() are the secure ones.
template <class C>
class SecureCarrier {
  public:
    using Bytes = typename tls::TlsCarrier<C>::Bytes;
    using Shared = typename tls::TlsCarrier<C>::Shared;

    explicit SecureCarrier(C& below) : tls_(std::move(tls::TlsCarrier<C>::create(below, {}).value())) {
        static const auto files =
            millrace::test::certificates().make({.name = "pair", .hosts = {"DNS:pair.example"}});
        static const tls::TicketKeys tickets;
        tls_->set_server_context(
            tls::ServerContext::create({.certificates = {files}, .client_ca = {}}, tickets).value());
        client_ =
            tls::ClientContext::create({.host = "pair.example", .ca = millrace::test::certificates().ca()})
                .value();
    }

    std::span<Event<Bytes>> poll(Time now) { return tls_->poll(now); }
    void flush(Time now) { tls_->flush(now); }
    Expected<void> listen(SocketAddress address) { return tls_->listen_secure(address); }
    void stop_listening() { tls_->stop_listening(); }
    ConnId connect(SocketAddress address, Time now) { return tls_->connect_secure(address, *client_, now); }
    void close(ConnId id) { tls_->close(id); }
    void abort(ConnId id) { tls_->abort(id); }
    bool prepare(ConnId id, std::size_t n) { return tls_->prepare(id, n); }
    std::span<std::byte> room(ConnId id) { return tls_->room(id); }
    void commit(ConnId id, std::size_t n) { tls_->commit(id, n); }
    Shared make_shared(std::span<const std::byte> bytes) { return tls_->make_shared(bytes); }
    bool append(ConnId id, const Shared& shared) { return tls_->append(id, shared); }
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        tls_->visit_shared(shared, visitor);
    }
    std::size_t unsent(ConnId id) const { return tls_->unsent(id); }
    void pause(ConnId id) { tls_->pause(id); }
    void resume(ConnId id) { tls_->resume(id); }
    void set_timer(ConnId id, Time at) { tls_->set_timer(id, at); }
    void cancel_timer(ConnId id) { tls_->cancel_timer(id); }
    SocketAddress peer(ConnId id) const { return tls_->peer(id); }
    SocketAddress local(ConnId id) const { return tls_->local(id); }
    std::size_t connections() const { return tls_->connections(); }
    std::size_t max_connections() const { return tls_->max_connections(); }
    static constexpr std::size_t idle_bytes() { return 0; }
    void populate(std::size_t connections) { tls_->populate(connections); }
    bool under_pressure() const { return tls_->under_pressure(); }
    std::size_t memory_in_use() const { return tls_->memory_in_use(); }
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const {
        tls_->visit_counters(visitor);
    }

  private:
    std::unique_ptr<tls::ClientContext> client_;
    std::unique_ptr<tls::TlsCarrier<C>> tls_;
};

template <CarrierPair P>
class SecurePairOf {
  public:
    using Carrier = SecureCarrier<typename P::Carrier>;
    static constexpr bool kSealed = true;

    explicit SecurePairOf(const PairLimits& limits)
        : below_(limits), server_(below_.server()), client_(below_.client()) {}

    Carrier& server() { return server_; }
    Carrier& client() { return client_; }
    SocketAddress listen() {
        const SocketAddress address = below_.listening_address();
        if (auto done = server_.listen(address); !done) throw std::runtime_error(done.error().message);
        return below_.reached_at(address);
    }
    SocketAddress closed_port() { return below_.closed_port(); }
    Time next_time() { return below_.next_time(); }

  private:
    P below_;
    Carrier server_;
    Carrier client_;
};

}  // namespace millrace::net::test
