// Whole stacks over a real cable: ARP, handshake, data, close, with one shard an end and with several.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/unit/stack/network.h"

namespace millrace::net {
namespace {

using test::End;

std::string as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::byte> as_bytes(const std::string& text) {
    return std::as_bytes(std::span(text));
}

// Echoes all it gets, and closes when the peer has.
void echo(DpdkCarrier& carrier, tcp::Event& event) {
    if (event.kind == EventKind::kReceived) {
        EXPECT_TRUE(test::append(carrier, event.conn, event.bytes.bytes()));
    }
    if (event.kind == EventKind::kPeerClosed) carrier.close(event.conn);
}

struct Client {
    std::string to_send, got;
    CloseReason end = CloseReason::kNone;
};

struct Shape {
    unsigned client_shards, server_shards;
    bool offload;
    bool ipv6 = false;
};

class StackEcho : public ::testing::TestWithParam<Shape> {};

TEST_P(StackEcho, ConnectionsEchoAndCloseAndAllMemoryReturns) {
    const Shape shape = GetParam();
    auto cable = *Cable::create({.shards_a = shape.client_shards,
                                 .shards_b = shape.server_shards,
                                 .slots = 1024,
                                 .mbufs = 3000,
                                 .checksum_offload = shape.offload});
    End client(cable->a(), test::config_of(shape.ipv6 ? "2001:db8::1/64" : "10.0.0.1/24")),
        server(cable->b(), test::config_of(shape.ipv6 ? "2001:db8::2/64" : "10.0.0.2/24"));
    const SocketAddress service{shape.ipv6 ? *parse_ip("2001:db8::2") : Ipv4{0x0a000002}, 9001};
    for (unsigned i = 0; i < server.shards(); ++i)
        ASSERT_TRUE(server.shard(i).listen(service));

    constexpr unsigned kPerShard = 50;
    std::map<std::pair<DpdkCarrier*, ConnId>, Client> clients;
    Time now = Time{} + 1s;
    for (unsigned shard = 0; shard < client.shards(); ++shard)
        for (unsigned i = 0; i < kPerShard; ++i) {
            const ConnId id = client.shard(shard).connect(service, now);
            ASSERT_NE(id, kNoConn);
            std::string text = "connection " + std::to_string(shard) + '.' + std::to_string(i) + ' ';
            while (text.size() < i * 100)
                text += text;
            clients[{&client.shard(shard), id}].to_send = text;
        }
    // Which shards saw a connection: by the peer's address, on the server's side.
    std::map<SocketAddress, std::set<unsigned>> seen_by;
    const auto serve = [&](DpdkCarrier& carrier, tcp::Event& event) {
        for (unsigned i = 0; i < server.shards() && event.kind != EventKind::kClosed; ++i)
            if (&carrier == &server.shard(i)) seen_by[carrier.peer(event.conn)].insert(i);
        echo(carrier, event);
    };
    const auto ask = [&](DpdkCarrier& carrier, tcp::Event& event) {
        auto at = clients.find({&carrier, event.conn});
        ASSERT_NE(at, clients.end()) << "an event at a shard that did not open the connection";
        Client& c = at->second;
        if (event.kind == EventKind::kConnected) {
            ASSERT_TRUE(test::append(carrier, event.conn, as_bytes(c.to_send)));
        }
        if (event.kind == EventKind::kReceived) {
            c.got += as_text(event.bytes.bytes());
            if (c.got.size() == c.to_send.size()) carrier.close(event.conn);
        }
        if (event.kind == EventKind::kClosed) c.end = event.reason;
    };
    for (int round = 0; round < 2000; ++round) {
        client.poll(now, ask);
        server.poll(now, serve);
        now += 100us;
    }
    for (const auto& [key, c] : clients) {
        ASSERT_EQ(c.got, c.to_send);
        ASSERT_EQ(c.end, CloseReason::kFinished);
    }
    ASSERT_EQ(seen_by.size(), std::size_t{kPerShard} * client.shards());
    std::set<unsigned> busy;
    for (const auto& [peer, shards] : seen_by) {
        ASSERT_EQ(shards.size(), 1u) << "a connection lives in one shard";
        busy.insert(*shards.begin());
    }
    EXPECT_EQ(busy.size(), server.shards());
    EXPECT_EQ(client.connections(), 0u);
    EXPECT_EQ(server.connections(), 0u);
    for (End* end : {&client, &server}) {
        EXPECT_EQ(end->counter("TcpInCsumErrors"), 0u);
        EXPECT_EQ(end->counter("IpOutBurstFull"), 0u);
        EXPECT_EQ(end->counter("NeighbourQueueFull"), 0u);
        EXPECT_EQ(end->counter("tcp.OutRsts"), 0u) << "no segment came to a shard that does not know it";
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, StackEcho,
                         ::testing::Values(Shape{1, 1, false}, Shape{1, 1, true}, Shape{2, 2, false},
                                           Shape{4, 1, false}, Shape{1, 4, false}, Shape{1, 1, true, true},
                                           Shape{2, 2, false, true}, Shape{3, 4, false, true},
                                           Shape{8, 2, false}, Shape{2, 8, false, true}),
                         [](const auto& shape) {
                             return std::to_string(shape.param.client_shards) + "x" +
                                    std::to_string(shape.param.server_shards) +
                                    (shape.param.offload ? "Offload" : "") + (shape.param.ipv6 ? "Ipv6" : "");
                         });

// Whatever the wire does, every byte arrives once and in order.
TEST(StackEchoOverABadWire, EveryByteArrives) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        auto cable = *Cable::create({.slots = 1024,
                                     .mbufs = 3000,
                                     .faults = {.seed = seed,
                                                .lose = 0.02,
                                                .corrupt = 0.02,
                                                .duplicate = 0.02,
                                                .reorder = 0.02,
                                                .delay = 0.02}});
        End client(cable->a(), test::config_of("10.0.0.1/24")),
            server(cable->b(), test::config_of("10.0.0.2/24"));
        const SocketAddress service{Ipv4{0x0a000002}, 9001};
        ASSERT_TRUE(server.shard(0).listen(service));
        Time now = Time{} + 1s;
        std::map<ConnId, Client> clients;
        for (unsigned i = 0; i < 20; ++i) {
            std::string text;
            for (unsigned n = 0; n < 20000; ++n)
                text += static_cast<char>('a' + (n * 7 + i) % 26);
            clients[client.shard(0).connect(service, now)].to_send = text;
        }
        ASSERT_EQ(clients.size(), 20u);
        unsigned open = 20;
        for (int round = 0; round < 200000 && open != 0; ++round, now += 500us) {
            client.poll(now, [&](DpdkCarrier& carrier, tcp::Event& event) {
                Client& c = clients[event.conn];
                if (event.kind == EventKind::kConnected) {
                    ASSERT_TRUE(test::append(carrier, event.conn, as_bytes(c.to_send)));
                }
                if (event.kind == EventKind::kReceived) {
                    c.got += as_text(event.bytes.bytes());
                    if (c.got.size() == c.to_send.size()) carrier.close(event.conn);
                }
                if (event.kind == EventKind::kClosed) {
                    c.end = event.reason;
                    --open;
                }
            });
            server.poll(now, echo);
        }
        for (const auto& [id, c] : clients) {
            ASSERT_EQ(c.got, c.to_send) << "seed " << seed;
            ASSERT_EQ(c.end, CloseReason::kFinished) << "seed " << seed;
        }
        EXPECT_GT(cable->faults().lost, 0u);
        EXPECT_GT(client.counter("TcpInCsumErrors") + client.counter("IpInCsumErrors"), 0u);
    }
}

TEST(StackEchoByReference, OneMessageReachesManyConnections) {
    auto cable = *Cable::create({.mbufs = 4096});
    End client(cable->a(), test::config_of("10.0.0.1/24")),
        server(cable->b(), test::config_of("10.0.0.2/24"));
    const SocketAddress service{Ipv4{0x0a000002}, 9001};
    ASSERT_TRUE(server.shard(0).listen(service));
    Time now = Time{} + 1s;
    for (int i = 0; i < 100; ++i)
        ASSERT_NE(client.shard(0).connect(service, now), kNoConn);
    std::vector<ConnId> accepted;
    std::map<ConnId, std::string> got;
    const auto run = [&](int rounds) {
        for (int i = 0; i < rounds; ++i, now += 100us) {
            client.poll(now, [&](DpdkCarrier&, tcp::Event& e) {
                if (e.kind == EventKind::kReceived) got[e.conn] += as_text(e.bytes.bytes());
            });
            server.poll(now, [&](DpdkCarrier&, tcp::Event& e) {
                if (e.kind == EventKind::kAccepted) accepted.push_back(e.conn);
            });
        }
    };
    run(100);
    ASSERT_EQ(accepted.size(), 100u);
    std::string text(3000, 'x');  // more than one segment
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>('a' + i % 26);
    {
        const auto shared = server.shard(0).make_shared(as_bytes(text));
        for (const ConnId id : accepted)
            ASSERT_TRUE(server.shard(0).append(id, shared));
    }
    run(1000);
    ASSERT_EQ(got.size(), 100u);
    for (const auto& [id, bytes] : got)
        ASSERT_EQ(bytes, text);
    EXPECT_EQ(server.counter("TcpInCsumErrors") + client.counter("TcpInCsumErrors"), 0u);
}

}  // namespace
}  // namespace millrace::net
