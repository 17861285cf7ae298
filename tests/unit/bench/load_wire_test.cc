// What the processes of a load tell each other, and that nothing is rounded or lost on the way.

#include <gtest/gtest.h>

#include <random>

#include "bench/load/wire.h"

namespace millrace::bench {
namespace {

using Json = nlohmann::json;

// Of a process that saw everything, from a seed.
LoadTally some_tally(unsigned seed) {
    std::mt19937_64 random(seed);
    LoadTally tally;
    tally.opened = random() % 1000;
    tally.failed = random() % 10;
    tally.connecting = Duration(random() % 1'000'000'000);
    tally.failed_because.add("connect: refused", 3 + seed);
    tally.failed_because.add("handshake: HTTP 503");
    RunBooks& run = tally.run;
    run.began_late = Duration(random() % 1000);
    run.measured = 2s + Duration(seed);
    run.began_with = random();
    run.messages = ~std::uint64_t{0} - random() % 1000;  // more than a double tells apart
    run.bytes = random();
    run.sent = random();
    run.unsent = random();
    run.lost = random();
    run.corrupted = random();
    run.closed.add("close code 1006", 1 + seed % 7);
    run.failed.add("no answer for 30 s");
    constexpr Time kBegin{1s};
    Recorder recorder;
    recorder.begin(kBegin, 5s);
    for (int i = 0; i < 5000; ++i) {
        recorder.answered(kBegin + 1ms * i, kBegin + 1ms * i + Duration(random() % 100),
                          kBegin + 1ms * i + 100ns + Duration(random() % (std::uint64_t{1} << (i % 40))));
        recorder.sent(kBegin + 1ms * i, kBegin + 1ms * i + Duration(random() % 3000));
    }
    run.latencies = recorder.latencies();
    PollMeter meter;
    meter.begin(kBegin, kBegin + 5s, seed);
    for (int i = 0; i < 2000; ++i)
        meter.turn(kBegin + 1ms * i + Duration(random() % 1000), random() % 4 != 0);
    run.polls = {meter.trace()};
    run.counters["tcp.RetransSegs"] = random();
    return tally;
}

TEST(LoadWire, ATallyComesBackAsItWas) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const Json wire = to_wire(some_tally(seed));
        EXPECT_EQ(to_wire(tally_of(Json::parse(wire.dump()))), wire);
    }
    EXPECT_EQ(to_wire(tally_of(to_wire(LoadTally{}))), to_wire(LoadTally{}));
}

TEST(LoadWire, MergedElsewhereItIsWhatItWouldBeHere) {
    LoadTally here, there;
    for (unsigned seed = 0; seed < 4; ++seed) {
        here.merge(some_tally(seed));
        there.merge(tally_of(Json::parse(to_wire(some_tally(seed)).dump())));
    }
    EXPECT_EQ(to_wire(there), to_wire(here));
    EXPECT_EQ(here.run.latencies.rtt().count(), 4u * 5000);
    EXPECT_EQ(here.run.measured, 2s + Duration(3));  // the longest
    EXPECT_EQ(here.failed_because.counts().at("connect: refused"), 3u + 4 + 5 + 6);
    EXPECT_EQ(there.run.latencies.rtt().percentile(99.9), here.run.latencies.rtt().percentile(99.9));
    EXPECT_EQ(there.run.polls.size(), 4u);
}

TEST(LoadWire, ACommandComesBackAsItWas) {
    const LoadCommand command{
        .order = LoadOrder::kTalk, .rate = 1e9 / 3, .start = Duration{1'234'567'890'123}};
    const LoadCommand back = command_of(Json::parse(to_wire(command).dump()));
    EXPECT_EQ(back.order, command.order);
    EXPECT_EQ(back.rate, command.rate);
    EXPECT_EQ(back.start, command.start);
}

TEST(LoadWire, WhatIsNoTallyIsRefused) {
    EXPECT_THROW(tally_of(Json::object()), Json::exception);
    Json wire = to_wire(some_tally(1));
    wire["opened"] = "many";
    EXPECT_THROW(tally_of(wire), Json::exception);
    wire = to_wire(some_tally(1));
    wire["run"]["latencies"]["service"] = {0, 0, 0};  // no histogram's head
    EXPECT_THROW(tally_of(wire), Json::exception);
    wire["run"]["latencies"]["service"] = {0, 0, 0, 0, 1u << 30, 1};  // no such bucket
    EXPECT_THROW(tally_of(wire), Json::exception);
}

}  // namespace
}  // namespace millrace::bench
