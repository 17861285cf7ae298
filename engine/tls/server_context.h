#pragma once
// What a shard's secure listeners show: certificates chosen by the name that the client asks for (SNI), ALPN,
// session tickets. One for each shard, so that no two shards count references in the same line.

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tls/openssl.h"
#include "engine/tls/ticket_keys.h"

namespace millrace::tls {

struct CertificateFiles {
    std::string certificate;  // PEM: the certificate, then its chain
    std::string key;          // PEM
};

struct ServerConfig {
    // The first is shown to who names no server, or none that we know.
    std::vector<CertificateFiles> certificates;
    std::string
        client_ca;  // PEM: clients must show a certificate signed by one of these; empty: none is asked
};

class ServerContext {
  public:
    // Reads the files; set-up errors name the file.
    static Expected<std::unique_ptr<ServerContext>> create(const ServerConfig& config,
                                                           const TicketKeys& tickets);

    // A connection's state in the server's role; null when memory is out.
    SSL* open() const;

    // Those of its tickets, which the owner turns with the time.
    TicketKeys& tickets();

  private:
    explicit ServerContext(ContextPtr context) : default_(std::move(context)) {}

    ContextPtr default_;  // owns the others, so that handshakes under way outlive a reload
};

// Hands a context to a shard's thread: one writer, one reader, no read-modify-write. The writer puts one in
// when none is there.
class ServerContextBox {
  public:
    ~ServerContextBox() { delete fresh_.load(); }
    // False while the shard has not taken the last one.
    bool put(std::unique_ptr<ServerContext>& context) {
        if (fresh_.load(std::memory_order_acquire)) return false;
        fresh_.store(context.release(), std::memory_order_release);
        return true;
    }
    std::unique_ptr<ServerContext> take() {
        if (!fresh_.load(std::memory_order_relaxed)) return nullptr;
        std::unique_ptr<ServerContext> taken(fresh_.load(std::memory_order_acquire));
        fresh_.store(nullptr, std::memory_order_release);
        return taken;
    }

  private:
    std::atomic<ServerContext*> fresh_{nullptr};
};

// RFC 6125 section 6.4.3: `pattern` is a name, or *.name for any one label before it. Letters of either case.
bool matches_name(std::string_view pattern, std::string_view name);

}  // namespace millrace::tls
