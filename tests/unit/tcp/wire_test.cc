// Whatever the wire does, every byte arrives once and in order, and nothing is left behind.

#include "tests/unit/tcp/wire_pair.h"

namespace millrace::tcp::test {
namespace {

Config config() {
    Config c;
    c.max_connections = 32;
    c.time_wait = 10min;  // longer than any back-off: an ACK of the last FIN may be lost many times
    return c;
}

TEST(TcpWire, PerfectWireNeedsNoRetransmission) {
    WirePair pair(1, {}, config(), config(), {.bytes = 1'000'000}, {.bytes = 1'000'000});
    pair.run(3);
    EXPECT_EQ(pair.client().counters().retransmitted_segments.value(), 0u);
    EXPECT_EQ(pair.server().counters().retransmitted_segments.value(), 0u);
    EXPECT_GT(pair.server().counters().fast_path.value(), 1000u);
}

struct Case {
    const char* name;
    Faults faults;
    WirePair::Plan client;
    WirePair::Plan server;
    std::uint32_t receive_window = 1 << 20;
    std::uint32_t send_limit = 1 << 20;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name;
}

class TcpFaultyWire : public ::testing::TestWithParam<std::tuple<Case, int>> {};

TEST_P(TcpFaultyWire, EveryByteOnceInOrderAndNothingLeft) {
    const auto& [c, seed] = GetParam();
    Config both = config();
    both.receive_window = c.receive_window;
    both.send_limit = c.send_limit;
    both.sack = seed % 3 != 0;
    both.large_send = seed % 2 == 0 ? 16 : 1;  // every other one over a port that cuts large sends
    WirePair pair(static_cast<std::uint64_t>(seed), c.faults, both, both, c.client, c.server);
    pair.run(4);
}

constexpr Faults kBad{.loss = 0.03, .duplication = 0.02, .reordering = 0.05};
constexpr Faults kAwful{.loss = 0.2, .duplication = 0.1, .reordering = 0.3, .delay = 5ms, .jitter = 30ms};

INSTANTIATE_TEST_SUITE_P(
    Seeds, TcpFaultyWire,
    ::testing::Combine(
        ::testing::Values(
            Case{"loss", {.loss = 0.05}, {.bytes = 200000}, {.bytes = 200000}},
            Case{"duplication", {.duplication = 0.3}, {.bytes = 100000}, {.bytes = 100000}},
            Case{"reordering", {.reordering = 0.3}, {.bytes = 200000}, {.bytes = 100000}},
            Case{"all",
                 kBad,
                 {.bytes = 200000, .by_reference = true},
                 {.bytes = 200000, .by_reference = true}},
            Case{"awful", kAwful, {.bytes = 20000}, {.bytes = 20000, .by_reference = true}},
            Case{"pauses", kBad, {.bytes = 200000, .pauses = true}, {.bytes = 200000, .pauses = true}, 20000},
            Case{"tiny-window", kBad, {.bytes = 60000, .by_reference = true}, {.bytes = 20000}, 1600, 8000},
            Case{"tiny-writes",
                 kBad,
                 {.bytes = 20000, .most_at_once = 20},
                 {.bytes = 20000, .most_at_once = 100}},
            Case{"big-writes", {.loss = 0.01}, {.bytes = 2000000, .most_at_once = 300000}, {.bytes = 0}},
            Case{"half-close", kBad, {.bytes = 100000}, {.bytes = 100000, .closes_first = false}}),
        ::testing::Range(1, 6)),
    [](const auto& which) {
        std::string name = std::get<0>(which.param).name;
        std::replace(name.begin(), name.end(), '-', '_');
        return name + "_" + std::to_string(std::get<1>(which.param));
    });

// RFC 9293 figure 8's other order: both ends close at the same time, whatever is lost.
TEST(TcpWire, ClosingOrdersUnderLoss) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE(seed);
        WirePair pair(seed, {.loss = 0.2, .duplication = 0.1, .reordering = 0.3}, config(), config(),
                      {.bytes = seed % 3 * 100, .closes_first = seed % 2 == 0},
                      {.bytes = seed % 5 * 100, .closes_first = seed % 2 != 0 || seed % 7 == 0});
        pair.run(4);
    }
}

}  // namespace
}  // namespace millrace::tcp::test
