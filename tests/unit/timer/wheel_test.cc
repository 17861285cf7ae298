// The timer wheel against an oracle (std::multimap): never early, at most a tick late, in order, none lost.

#include "netstack/timer/wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace millrace::net {
namespace {

constexpr Duration kTick{1 << 15};

Time at(Duration d) {
    return Time{d};
}

Wheel make(std::size_t capacity) {
    auto wheel = Wheel::create(capacity);
    EXPECT_TRUE(wheel.has_value());
    return std::move(*wheel);
}

std::vector<std::uint32_t> owners_due(Wheel& wheel, Time now) {
    std::vector<std::uint32_t> due;
    EXPECT_TRUE(wheel.advance(now, 1000000, [&](const Timer& timer) { due.push_back(timer.owner); }));
    return due;
}

TEST(Wheel, FiresOnceAtOrAfterItsDeadlineAndIsThenFree) {
    Wheel wheel = make(4);
    wheel.arm(7, 1, at(10ms));
    EXPECT_TRUE(owners_due(wheel, at(10ms - 1ns)).empty());
    EXPECT_EQ(wheel.armed(), 1u);
    EXPECT_EQ(owners_due(wheel, at(10ms + kTick)), std::vector<std::uint32_t>{7});
    EXPECT_EQ(wheel.armed(), 0u);
    EXPECT_TRUE(owners_due(wheel, at(1h)).empty());
    EXPECT_EQ(wheel.next(), kNever);
}

TEST(Wheel, DeadlineInThePastIsDueAtTheNextAdvance) {
    Wheel wheel = make(4);
    owners_due(wheel, at(1s));
    wheel.arm(3, 0, at(1ms));
    EXPECT_EQ(owners_due(wheel, at(1s)), std::vector<std::uint32_t>{3});
}

TEST(Wheel, BoundIsKeptAndCancelFreesAPlace) {
    Wheel wheel = make(2);
    const TimerId first = wheel.arm(1, 0, at(1s));
    EXPECT_NE(wheel.arm(2, 0, at(2s)), kNoTimer);
    EXPECT_EQ(wheel.arm(3, 0, at(3s)), kNoTimer);
    wheel.cancel(first);
    EXPECT_NE(wheel.arm(4, 0, at(3s)), kNoTimer);
    EXPECT_EQ(owners_due(wheel, at(4s)), (std::vector<std::uint32_t>{2, 4}));
}

TEST(Wheel, ExtendedTimerFiresOnlyAtItsNewDeadline) {
    Wheel wheel = make(1);
    const TimerId timer = wheel.arm(1, 0, at(10ms));
    for (int i = 2; i < 2000; ++i) {
        wheel.move(timer, at(i * 10ms));
        ASSERT_TRUE(owners_due(wheel, at(i * 10ms - 5ms)).empty());
    }
    EXPECT_EQ(owners_due(wheel, at(20s)).size(), 1u);
}

TEST(Wheel, BudgetLeavesTheRestForTheNextCall) {
    Wheel wheel = make(100);
    for (std::uint32_t i = 0; i < 100; ++i)
        wheel.arm(i, 0, at(1ms));
    unsigned fired = 0;
    unsigned calls = 1;
    while (!wheel.advance(at(1s), 30, [&](const Timer&) { ++fired; }))
        ++calls;
    EXPECT_EQ(fired, 100u);
    EXPECT_GT(calls, 3u);
}

TEST(Wheel, ExpiredMayArmAgain) {
    Wheel wheel = make(1);
    wheel.arm(0, 0, at(1ms));
    unsigned fired = 0;
    wheel.advance(at(100ms), 1000, [&](const Timer& timer) {
        if (++fired < 50) wheel.arm(0, 0, timer.deadline + 1ms);
    });
    EXPECT_EQ(fired, 50u);
    EXPECT_EQ(wheel.armed(), 0u);
}

// Any mixture of arm, move, cancel and advance, over spans from nanoseconds to months.
TEST(Wheel, AgreesWithAnOrderedMap) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        Wheel wheel = make(512);
        std::multimap<Time, std::uint32_t> oracle;
        struct Armed {
            TimerId id;
            Time deadline;
        };
        std::map<std::uint32_t, Armed> armed;
        Time now = at(Duration(random() % (1ull << 50)));
        owners_due(wheel, now);
        std::uint32_t owner = 0;
        const auto some_span = [&] { return Duration(random() % (1ull << (1 + random() % 52))); };
        const auto forget = [&](std::uint32_t who) {
            auto [from, to] = oracle.equal_range(armed.at(who).deadline);
            for (auto it = from; it != to; ++it)
                if (it->second == who) {
                    oracle.erase(it);
                    return;
                }
            FAIL() << "oracle lost a timer";
        };
        for (int step = 0; step < 20000; ++step) {
            const auto what = random() % 10;
            if (what < 4 && armed.size() < 512) {
                const Time deadline = now + some_span();
                armed[owner] = {wheel.arm(owner, 0, deadline), deadline};
                oracle.emplace(deadline, owner++);
            } else if (what < 6 && !armed.empty()) {
                auto it = armed.lower_bound(static_cast<std::uint32_t>(random() % owner));
                if (it == armed.end()) continue;
                forget(it->first);
                if (what == 4) {
                    wheel.cancel(it->second.id);
                    armed.erase(it);
                } else {
                    it->second.deadline = now + some_span();
                    wheel.move(it->second.id, it->second.deadline);
                    oracle.emplace(it->second.deadline, it->first);
                }
            } else {
                now += what < 9 ? some_span() / 64 : some_span();
                ASSERT_LE(wheel.next(), oracle.empty() ? kNever : oracle.begin()->first + kTick);
                Time last{};
                wheel.advance(now, 1u << 30, [&](const Timer& timer) {
                    ASSERT_TRUE(armed.contains(timer.owner));
                    ASSERT_EQ(armed.at(timer.owner).deadline, timer.deadline);
                    ASSERT_LE(timer.deadline, now);
                    ASSERT_GE(timer.deadline + kTick, last);
                    last = timer.deadline;
                    forget(timer.owner);
                    armed.erase(timer.owner);
                });
                ASSERT_TRUE(oracle.empty() || oracle.begin()->first + kTick > now);
            }
            ASSERT_EQ(wheel.armed(), armed.size());
        }
    }
}

}  // namespace
}  // namespace millrace::net
