// What a stranger can say to a port that speaks TLS: nothing, or a client's real hello, changed, cut, doubled
// and delivered in pieces, as the input's program says. He is never taken for a client, and when he is gone
// all memory is back. tls_fuzz has both ends and whole conversations; this has many times its speed, for
// the port and its certificate stay from run to run.

#include <string>
#include <vector>

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
using Said = std::vector<std::byte>;

// A client's first flight.
Said hello_of(int version) {
    MemoryCarrier near{1}, far{1};
    MemoryCarrier::join(near, far);
    (void)far.listen({});
    auto client = *Secured::create(near, {});
    const auto with = *tls::ClientContext::create({.host = "fuzz.example", .ca = test::certificates().ca()});
    SSL_CTX_set_max_proto_version(with->context(), version);
    const net::ConnId id = client->connect_secure({}, *with, Time{1s});
    for (int i = 0; i < 3; ++i) {
        (void)client->poll(Time{1s});
        client->flush(Time{1s});
    }
    const auto& wire = far.arriving_at(net::ConnId{0});
    Said hello(wire.begin(), wire.end());
    require(!hello.empty(), "a client without a hello");
    client->abort(id);
    (void)client->poll(Time{1s});
    return hello;
}

struct Port {
    MemoryCarrier below{2}, strangers{2};
    std::unique_ptr<Secured> tls =
        *Secured::create(below, {.handshake_timeout = 1s, .plaintext_buffers = 16});
    Time now{1s};
    const Said hellos[4] = {{}, hello_of(TLS1_2_VERSION), hello_of(TLS1_3_VERSION), hello_of(TLS1_3_VERSION)};

    Port() {
        MemoryCarrier::join(below, strangers);
        const auto files = test::certificates().make({.name = "fuzz", .hosts = {"DNS:fuzz.example"}});
        tls->set_server_context(
            *tls::ServerContext::create({.certificates = {files}, .client_ca = {}}, tls::TicketKeys{}));
        (void)tls->listen_secure({});
    }

    void turn() {
        for (const auto& event : tls->poll(now))
            require(event.kind != net::EventKind::kAccepted && event.kind != net::EventKind::kReceived,
                    "a stranger is taken for a client");
        tls->flush(now);
        (void)strangers.poll(now);
        strangers.flush(now);
    }
};

// Edits of what is to be said next.
void change(Said& said, unsigned operation, fuzz::Program& program) {
    const std::size_t at = said.empty() ? 0 : program.word() % said.size();
    const auto place = said.begin() + static_cast<std::ptrdiff_t>(at);
    switch (operation) {
        case 0:
            if (!said.empty()) *place = std::byte{program.byte()};
            return;
        case 1: {
            const auto more = std::as_bytes(program.bytes(program.byte()));
            said.insert(place, more.begin(), more.end());
            return;
        }
        case 2:
            said.erase(place, place + static_cast<std::ptrdiff_t>(
                                          std::min<std::size_t>(program.byte(), said.size() - at)));
            return;
        case 3: {
            const Said twice(place, said.end());
            if (said.size() < 40'000) said.insert(said.end(), twice.begin(), twice.end());
            return;
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::fix_randomness();
    static Port port;
    fuzz::Program program(data, size);
    Said said = port.hellos[program.byte() & 3];
    const std::size_t piece = 1 + program.word() % 2000;
    const net::ConnId stranger = port.strangers.connect({}, port.now);
    auto& wire = port.below.arriving_at(net::ConnId{0});
    const auto deliver = [&](std::size_t bytes) {
        bytes = std::min(bytes, said.size());
        port.below.piece =
            std::max(piece, bytes / 16);  // single octets where they are few: a run shall be short
        const auto end = said.begin() + static_cast<std::ptrdiff_t>(bytes);
        wire.insert(wire.end(), said.begin(), end);
        said.erase(said.begin(), end);
        port.turn();
    };
    port.turn();
    while (!program.ended()) {
        const unsigned operation = program.byte() % 6;
        if (operation == 4) {
            deliver(program.word());
        } else if (operation == 5) {
            port.now += 10ms * program.byte();
            port.turn();
        } else {
            change(said, operation, program);
        }
    }
    for (int i = 0; i < 4 || (i < 100 && !said.empty()); ++i)
        deliver(20'000);
    port.strangers.abort(stranger);
    for (int i = 0; i < 4; ++i) {
        port.turn();
        port.now += 2s;
    }
    require(port.tls->handshakes_under_way() == 0 && port.tls->inputs_in_use() == 0 &&
                port.tls->plaintexts_in_use() == 0 && port.below.lent() == 0,
            "the port keeps memory");
    return 0;
}
