// TLS's record input, both roles: a server and a client in memory, and between them somebody who changes,
// cuts, doubles, withholds and invents bytes, as the input's program says. Whatever he does: nobody crashes,
// what one end hears is the beginning of what the other said and nothing else, each connection ends at most
// once, and at the end all memory is back. An input does the same in every run.

#include <string>

#include "engine/tls/tls_carrier.h"
#include "tests/fuzz/fixed_randomness.h"
#include "tests/fuzz/program.h"
#include "tests/unit/endpoint/memory_carrier.h"
#include "tests/unit/tls/certificates.h"

namespace {

using namespace millrace;
using fuzz::require;
using test::MemoryCarrier;
using Secured = tls::TlsCarrier<MemoryCarrier>;

// What does not depend on the input, made once: keys are slow.
struct Ground {
    tls::CertificateFiles files = test::certificates().make({.name = "fuzz", .hosts = {"DNS:fuzz.example"}});
    tls::TicketKeys tickets;
    std::unique_ptr<tls::ServerContext> server() {
        return *tls::ServerContext::create({.certificates = {files}, .client_ca = {}}, tickets);
    }
    std::unique_ptr<tls::ClientContext> client() {
        return *tls::ClientContext::create({.host = "fuzz.example", .ca = test::certificates().ca()});
    }
};

struct Side {
    MemoryCarrier below{8};
    std::unique_ptr<Secured> tls =
        *Secured::create(below, {.handshake_timeout = 1s, .plaintext_buffers = 16});
    net::ConnId id = net::kNoConn;
    std::string said, heard;
    bool open = false, over = false;

    void turn(Time now) {
        for (auto& event : tls->poll(now)) {
            require(!over, "an event after the end");
            const auto bytes = event.bytes.bytes();
            heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            if (event.kind == net::EventKind::kReceived) require(open, "bytes before TLS was established");
            if (event.kind == net::EventKind::kAccepted) id = event.conn;
            open |= event.kind == net::EventKind::kAccepted || event.kind == net::EventKind::kConnected;
            over |= event.kind == net::EventKind::kClosed;
        }
        tls->flush(now);
    }
    void say(std::size_t n) {
        if (!open || over) return;
        std::string text(n, '\0');
        for (char& c : text)
            c = static_cast<char>(said.size() * 31 + static_cast<std::size_t>(&c - text.data()));
        if (write_bytes(*tls, id, std::as_bytes(std::span(text)))) said += text;
    }
};

void check(const Side& from, const Side& to) {
    require(to.heard.size() <= from.said.size() && from.said.compare(0, to.heard.size(), to.heard) == 0,
            "what was heard is not what was said");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::fix_randomness();
    static Ground ground;
    fuzz::Program program(data, size);
    const unsigned choices = program.byte();
    Side server, client;
    MemoryCarrier::join(server.below, client.below);
    server.below.piece = client.below.piece = 1 + program.word() % 2000;
    server.tls->set_server_context(ground.server());
    (void)server.tls->listen_secure({});
    Time now{1s};
    const auto with = ground.client();
    SSL_CTX_set_max_proto_version(with->context(), choices & 1 ? TLS1_2_VERSION : TLS1_3_VERSION);
    client.id = client.tls->connect_secure({}, *with, now);
    for (unsigned turns = 0; turns < choices >> 4; ++turns) {
        client.turn(now);
        server.turn(now);
    }
    while (!program.ended()) {
        const unsigned operation = program.byte();
        Side& side = operation & 1 ? server : client;
        auto& wire = side.below.arriving_at(operation & 1 ? net::ConnId{0} : client.id);
        const std::size_t at = wire.empty() ? 0 : program.word() % wire.size();
        const auto place = wire.begin() + static_cast<std::ptrdiff_t>(at);
        switch (operation >> 1 & 7) {
            case 0:
                if (!wire.empty()) wire[at] ^= std::byte{program.byte()};
                break;
            case 1:
                for (const std::uint8_t byte : program.bytes(program.byte()))
                    wire.push_back(std::byte{byte});
                break;
            case 2:
                wire.erase(place, wire.end());
                break;
            case 3: {
                const std::vector<std::byte> twice(place, wire.end());
                wire.insert(wire.end(), twice.begin(), twice.end());
                break;
            }
            case 4:
                side.say(program.word());
                break;
            case 5:
                if (side.open && !side.over) side.tls->close(side.id);
                break;
            case 6:
                now += Duration(program.byte()) * 10'000'000;
                break;
            case 7:
                break;
        }
        client.turn(now);
        server.turn(now);
        check(client, server);
        check(server, client);
    }
    if (client.open && !client.over) client.tls->abort(client.id);
    for (int i = 0; i < 8; ++i) {
        client.turn(now);
        server.turn(now);
        now += 2s;
    }
    require(server.tls->handshakes_under_way() == 0 && server.tls->inputs_in_use() == 0 &&
                server.tls->plaintexts_in_use() == 0 && server.below.lent() == 0,
            "the server keeps memory");
    return 0;
}
