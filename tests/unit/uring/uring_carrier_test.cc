// What only the io_uring carrier promises; what it shares with others is in tests/unit/carrier.

#include "netstack/uring/uring_carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

#include "netstack/uring/socket.h"
#include "tests/unit/carrier/carrier_pair.h"
#include "tests/unit/carrier/uring_pair.h"

namespace millrace::net::test {
namespace {

using ::testing::HasSubstr;

constexpr IpAddress kLoopback = UringPair::kLoopback;

std::uint64_t counter(const UringCarrier& carrier, std::string_view wanted) {
    std::uint64_t found = ~std::uint64_t{0};
    carrier.visit_counters([&](std::string_view name, std::uint64_t value) {
        if (name == wanted) found = value;
    });
    EXPECT_NE(found, ~std::uint64_t{0}) << "no counter " << wanted;
    return found;
}

// A server and a client; time stands still unless a test moves it.
class UringCarrierTest : public ::testing::Test {
  protected:
    void open(const UringConfig& server_config = {}, const UringConfig& client_config = {}) {
        server_carrier = make_uring(server_config);
        client_carrier = make_uring(client_config);
        server.emplace(*server_carrier);
        client.emplace(*client_carrier);
        ASSERT_TRUE(server_carrier->listen({kLoopback, 0}));
        address = server_carrier->listening_on();
        ASSERT_NE(address.port, 0);
    }

    bool turn() {
        const bool at_server = server->turn(now);
        return client->turn(now) || at_server;
    }

    template <class Done>
    void run_until(Done done) {
        constexpr int kStuck = 10'000'000;
        for (int quiet = 0; !done(); quiet = turn() ? 0 : quiet + 1)
            if (quiet == kStuck) FAIL() << "stuck: no event in " << kStuck << " turns";
    }

    void settle() {
        for (int quiet = 0; quiet < 3000;)
            quiet = turn() ? 0 : quiet + 1;
    }

    std::pair<ConnId, ConnId> join() {
        const std::size_t before = server->accepted.size();
        const ConnId at_client = client->connect(address, now);
        run_until([&] { return server->accepted.size() > before && (*client)[at_client].open; });
        return {server->accepted.back(), at_client};
    }

    Time now{};
    std::unique_ptr<UringCarrier> server_carrier;
    std::unique_ptr<UringCarrier> client_carrier;
    std::optional<End<UringCarrier>> server;
    std::optional<End<UringCarrier>> client;
    SocketAddress address;
};

TEST_F(UringCarrierTest, WithoutBuffersReceptionWaitsForThemAndLosesNothing) {
    open({.ring_buffers = 2, .receive_buffers = 2, .buffer_size = 512});
    const auto [s, c] = join();
    std::vector<uring::Bytes> kept;
    server->keep = &kept;
    ASSERT_TRUE(write(*client_carrier, c, stream_bytes(1, 0, 8192)));
    run_until([&] { return counter(*server_carrier, "uring.ReceiveNoBuffers") > 0; });
    settle();
    EXPECT_EQ((*server)[s].received.size(), 1024u) << "two buffers are all there are";
    EXPECT_EQ(counter(*server_carrier, "uring.ReceiveNoBuffers"), 1u) << "it does not spin";

    server->keep = nullptr;
    kept.clear();
    run_until([&, s = s] { return (*server)[s].received.size() == 8192; });
    EXPECT_TRUE(is_stream(1, (*server)[s].received, 8192));
}

TEST_F(UringCarrierTest, ConnectionsShareFewBuffersFairly) {
    open({.ring_buffers = 2, .receive_buffers = 2, .buffer_size = 512});
    std::vector<std::pair<ConnId, ConnId>> joined;
    for (int i = 0; i < 20; ++i)
        joined.push_back(join());
    for (const auto& [s, c] : joined)
        ASSERT_TRUE(write(*client_carrier, c, stream_bytes(index(c), 0, 10'000)));
    for (const auto& [s, c] : joined) {
        run_until([&, s = s] { return (*server)[s].received.size() == 10'000; });
        EXPECT_TRUE(is_stream(index(c), (*server)[s].received, 10'000));
    }
}

// What a paused connection holds does not take buffers from the others.
TEST_F(UringCarrierTest, PausedConnectionsDoNotStarveOthers) {
    open({.ring_buffers = 4, .receive_buffers = 64, .buffer_size = 512});
    std::vector<std::pair<ConnId, ConnId>> paused;
    for (int i = 0; i < 8; ++i) {
        paused.push_back(join());
        server_carrier->pause(paused.back().first);
        ASSERT_TRUE(write(*client_carrier, paused.back().second, stream_bytes(5, 0, 4000)));
    }
    const auto [s, c] = join();
    ASSERT_TRUE(write(*client_carrier, c, stream_bytes(1, 0, 100'000)));
    run_until([&, s = s] { return (*server)[s].received.size() == 100'000; });
    for (const auto& ids : paused)
        EXPECT_TRUE((*server)[ids.first].received.empty());
    for (const auto& ids : paused) {
        server_carrier->resume(ids.first);
        run_until([&] { return (*server)[ids.first].received.size() == 4000; });
        EXPECT_TRUE(is_stream(5, (*server)[ids.first].received, 4000));
    }
}

// A limit on descriptors that leaves room for one more, lifted at the end.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(unsigned more) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        const rlimit tight{static_cast<rlim_t>(next) + more, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &tight);
    }
    ~DescriptorLimit() { lift(); }
    void lift() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

TEST_F(UringCarrierTest, WithoutDescriptorsAcceptingBacksOffAndGoesOnLater) {
    open();
    DescriptorLimit limit(1);  // for the client's socket; the kernel notes the limit when accepting is armed
    const ConnId c = client->connect(address, now);
    ASSERT_NE(c, kNoConn);
    run_until([&] { return counter(*server_carrier, "uring.AcceptNoMemory") > 0; });
    settle();
    EXPECT_EQ(counter(*server_carrier, "uring.AcceptNoMemory"), 1u) << "it does not spin";
    EXPECT_EQ(client->connect(address, now), kNoConn);
    EXPECT_EQ(counter(*client_carrier, "uring.ConnectNoMemory"), 1u);

    limit.lift();
    settle();
    EXPECT_TRUE(server->accepted.empty()) << "not before its time";
    now += uring::Listener::kBackOff;
    run_until([&] { return server->accepted.size() == 1; });
}

TEST_F(UringCarrierTest, CompletionsOfAnAbortedConnectionReachNobody) {
    open({.max_connections = 1, .ring_buffers = 4, .receive_buffers = 4, .buffer_size = 512},
         {.max_connections = 4});
    for (int round = 0; round < 50; ++round) {
        const auto [s, c] = join();
        ASSERT_EQ(index(s), 0u) << "the one slot, again and again";
        ASSERT_TRUE(write(*client_carrier, c, stream_bytes(round, 0, 50'000)));
        client->turn(now);  // the bytes are in the server's socket; its receive completes behind the abort
        if (round % 2) server->turn(now);
        server_carrier->abort(s);
        run_until([&, c = c] { return (*client)[c].closed.has_value(); });
        run_until([&] { return server_carrier->connections() == 0; });
        settle();
        const auto& got = (*server)[s].received;
        EXPECT_TRUE(is_stream(round, got, got.size())) << "nothing of an earlier round";
    }
    EXPECT_GT(counter(*server_carrier, "uring.StaleCompletions"), 0u);
    EXPECT_EQ(server->strays, 0u);
    // No buffer was lost on the way.
    const auto [s, c] = join();
    ASSERT_TRUE(write(*client_carrier, c, stream_bytes(9, 0, 20'000)));
    run_until([&, s = s] { return (*server)[s].received.size() == 20'000; });
    EXPECT_TRUE(is_stream(9, (*server)[s].received, 20'000));
}

TEST_F(UringCarrierTest, ShardsShareAPortAndTheKernelSpreadsConnections) {
    open({.share_port = true});
    auto second_carrier = make_uring({.share_port = true});
    End<UringCarrier> second(*second_carrier);
    ASSERT_TRUE(second_carrier->listen(address));
    second.turn(now);
    constexpr std::size_t kConnections = 64;
    for (std::size_t i = 0; i < kConnections; ++i)
        ASSERT_NE(client->connect(address, now), kNoConn);
    run_until([&] {
        second.turn(now);
        return server->accepted.size() + second.accepted.size() == kConnections;
    });
    EXPECT_GT(server->accepted.size(), 0u);
    EXPECT_GT(second.accepted.size(), 0u);
}

TEST_F(UringCarrierTest, ListenErrorsSayWhatToDo) {
    open();
    auto other = make_uring({});
    const auto in_use = other->listen(address);
    ASSERT_FALSE(in_use);
    EXPECT_THAT(in_use.error().message, HasSubstr("in use"));
    EXPECT_THAT(in_use.error().message, HasSubstr("ss -ltnp 'sport = :" + std::to_string(address.port)));
    const auto nowhere = other->listen({Ipv4{0x01020304}, 0});
    ASSERT_FALSE(nowhere);
    EXPECT_THAT(nowhere.error().message, HasSubstr("1.2.3.4:0"));
    EXPECT_THAT(nowhere.error().message, HasSubstr("ip address"));
    for (std::size_t i = 0; i < UringCarrier::kMaxListeners; ++i)
        EXPECT_TRUE(other->listen({kLoopback, 0}));
    EXPECT_FALSE(other->listen({kLoopback, 0}));
}

TEST_F(UringCarrierTest, APortIsFreeAtOnceWhenListeningStopsOrTheCarrierGoes) {
    open();
    settle();
    auto other = make_uring({});
    server_carrier->stop_listening();
    ASSERT_TRUE(other->listen(address));
    other->flush(now);
    other->poll(now);
    other.reset();
    settle();
    EXPECT_TRUE(server_carrier->listen(address));
    join();
}

TEST_F(UringCarrierTest, ConnectGivesUpInTime) {
    // A kernel listener whose backlog is full drops SYNs.
    const auto listener = uring::open_listener({kLoopback, 0}, false, 0);
    ASSERT_TRUE(listener);
    open({}, {.connect_timeout = 50ms});
    std::size_t timed_out = 0;
    std::vector<ConnId> tried;
    for (int i = 0; i < 6; ++i)
        tried.push_back(client->connect(uring::local_address(*listener), now));
    run_until([&] {
        return std::all_of(tried.begin(), tried.end(),
                           [&](ConnId id) { return (*client)[id].open || (*client)[id].closed; });
    });
    for (const ConnId id : tried)
        timed_out += (*client)[id].closed == CloseReason::kTimedOut;
    EXPECT_GT(timed_out, 0u);
    EXPECT_EQ(counter(*client_carrier, "uring.ConnectFailed"), timed_out);
    settle();
    EXPECT_EQ(client_carrier->connections(), tried.size() - timed_out);
    ::close(*listener);
}

TEST_F(UringCarrierTest, AbortWhileConnecting) {
    const auto listener = uring::open_listener({kLoopback, 0}, false, 0);
    ASSERT_TRUE(listener);
    open();
    std::vector<ConnId> tried;
    for (int i = 0; i < 6; ++i)
        tried.push_back(client->connect(uring::local_address(*listener), now));
    settle();
    for (const ConnId id : tried)
        client_carrier->abort(id);
    run_until([&] { return client_carrier->connections() == 0; });
    for (const ConnId id : tried)
        EXPECT_FALSE((*client)[id].closed);
    ::close(*listener);
}

TEST_F(UringCarrierTest, SourceAddressesAreUsedInTurn) {
    open({}, {.first_source = Ipv4{0x7f000101}, .last_source = Ipv4{0x7f000104}});
    std::multiset<IpAddress> sources;
    for (int i = 0; i < 8; ++i)
        sources.insert(server_carrier->peer(join().first).ip);
    for (std::uint32_t ip = 0x7f000101; ip <= 0x7f000104; ++ip)
        EXPECT_EQ(sources.count(Ipv4{ip}), 2u);
}

TEST_F(UringCarrierTest, ADryPoolRefusesNewWorkAndTellsWhenItHasRecovered) {
    open({.send_limit = 1 << 20, .send_blocks = {.small = 2, .large = 4, .references = 4}});
    const auto [s1, c1] = join();
    const auto [s2, c2] = join();
    ASSERT_TRUE(write(*server_carrier, s1, stream_bytes(1, 0, 60'000)));
    EXPECT_TRUE(server_carrier->under_pressure());
    EXPECT_FALSE(write(*server_carrier, s2, stream_bytes(2, 0, 20'000)));
    EXPECT_GT(counter(*server_carrier, "uring.SendPoolDry"), 0u);
    EXPECT_FALSE(server_carrier->make_shared(stream_bytes(2, 0, 20'000)));
    int tried = 0;
    run_until([&, s2 = s2] {
        if ((*server)[s2].writable == tried) return false;
        ++tried;
        return write(*server_carrier, s2, stream_bytes(2, 0, 20'000));
    });
    run_until([&, c1 = c1, c2 = c2] {
        return (*client)[c1].received.size() == 60'000 && (*client)[c2].received.size() == 20'000;
    });
    EXPECT_TRUE(is_stream(1, (*client)[c1].received, 60'000));
    EXPECT_TRUE(is_stream(2, (*client)[c2].received, 20'000));
}

TEST_F(UringCarrierTest, AFullSubmissionQueueLosesNothing) {
    open({.submissions = 2, .events = 4}, {.submissions = 2, .events = 4});
    std::vector<std::pair<ConnId, ConnId>> joined;
    for (int i = 0; i < 50; ++i)
        joined.push_back(join());
    for (const auto& [s, c] : joined)
        ASSERT_TRUE(write(*client_carrier, c, stream_bytes(index(c), 0, 3000)));
    for (const auto& [s, c] : joined) {
        run_until([&, s = s] { return (*server)[s].received.size() == 3000; });
        EXPECT_TRUE(is_stream(index(c), (*server)[s].received, 3000));
    }
    for (const auto& [s, c] : joined)
        server_carrier->abort(s);
    run_until([&] { return client_carrier->connections() == 0 && server_carrier->connections() == 0; });
}

// --- sleeping ---

class UringSleep : public UringCarrierTest {
  protected:
    using Clock = std::chrono::steady_clock;
    // The server's loop, by the clock, until `done`; how many turns it took.
    template <class Done>
    int turns_until(Done done) {
        const auto start = Clock::now();
        int turns = 0;
        for (; !done(); ++turns)
            server->turn(Time{Clock::now() - start});
        return turns;
    }
};

TEST_F(UringSleep, AnIdleShardSleepsAndATimerWakesIt) {
    open();
    const auto [s, c] = join();
    settle();
    server_carrier->set_idle_wait(10s);
    server_carrier->set_timer(s, Time{30ms});
    const int turns = turns_until([&, s = s] { return !(*server)[s].timers.empty(); });
    EXPECT_GE((*server)[s].timers[0], Time{30ms});
    EXPECT_LT((*server)[s].timers[0], Time{10s});
    EXPECT_LT(turns, 100) << "it did not sleep";
    EXPECT_GT(counter(*server_carrier, "uring.Sleeps"), 0u);
}

TEST_F(UringSleep, BytesAndNewConnectionsWakeIt) {
    open();
    const auto [s, c] = join();
    settle();
    server_carrier->set_idle_wait(3600s);
    ASSERT_TRUE(write(*client_carrier, c, stream_bytes(1, 0, 100)));
    client->turn(now);
    turns_until([&, s = s] { return (*server)[s].received.size() == 100; });
    client->connect(address, now);
    client->turn(now);
    turns_until([&] { return server->accepted.size() == 2; });
}

TEST_F(UringSleep, AnotherThreadWakesItManyTimesAndNoneIsLost) {
    open();
    settle();
    server_carrier->set_idle_wait(3600s);
    std::atomic<int> said{0};
    std::atomic<int> heard{0};
    constexpr int kTimes = 200;
    std::thread other([&] {
        for (int i = 1; i <= kTimes; ++i) {
            said = i;
            server_carrier->wake();
            while (heard != i)
                std::this_thread::yield();
        }
    });
    const int turns = turns_until([&] {
        heard = said.load();
        return heard == kTimes;
    });
    other.join();
    EXPECT_LT(turns, 100 * kTimes);
}

// The carrier is set up by one thread and run by another, as shards are.
TEST_F(UringSleep, BelongsToTheThreadThatRunsIt) {
    open();
    std::atomic<bool> stop{false};
    std::thread shard([&] {
        server_carrier->set_idle_wait(3600s);
        turns_until([&] {
            for (const ConnId id : server->accepted)
                if (auto& seen = (*server)[id]; !seen.received.empty()) {
                    write(*server_carrier, id, seen.received);
                    seen.received.clear();
                }
            return stop.load();
        });
    });
    const ConnId c = client->connect(address, now);
    while (!(*client)[c].open)
        client->turn(now);
    ASSERT_TRUE(write(*client_carrier, c, stream_bytes(1, 0, 1000)));
    while ((*client)[c].received.size() < 1000)
        client->turn(now);
    EXPECT_TRUE(is_stream(1, (*client)[c].received, 1000));
    stop = true;
    server_carrier->wake();
    shard.join();
}

TEST(UringConfigErrors, AreSentences) {
    for (const UringConfig& config :
         {UringConfig{.max_connections = 0}, UringConfig{.submissions = 1}, UringConfig{.ring_buffers = 3},
          UringConfig{.first_source = Ipv4{2}, .last_source = Ipv4{1}}}) {
        const auto carrier = UringCarrier::create(config);
        ASSERT_FALSE(carrier);
        EXPECT_GT(carrier.error().message.size(), 30u);
    }
}

// RFC 9293 section 3.8.4, RFC 5482: asked of the kernel for the listener, what it accepts, and what we
// connect.
TEST_F(UringCarrierTest, ThePatienceWithSilentPeersIsTheKernels) {
    const UringConfig config{.patience = {.keep_alive = 70s,
                                          .keep_alive_interval = 1500ms,
                                          .keep_alive_probes = 5,
                                          .user_timeout = 12'345ms}};
    open(config, config);
    client_carrier->connect(address, now);
    settle();
    const auto option = [](int fd, int level, int name) {
        int value = -1;
        socklen_t size = sizeof value;
        return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
    };
    int ours = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        if (option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) != 12'345) continue;
        ++ours;
        EXPECT_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
        EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 70);
        EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 2);
        EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 5);
    }
    EXPECT_EQ(ours, 3);
}

}  // namespace
}  // namespace millrace::net::test
