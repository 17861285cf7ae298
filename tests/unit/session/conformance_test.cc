// RFC 6455, the receiving side, case by case. Each case runs in both roles: in one piece, cut into two at
// every byte, cut into three at spread places, and byte by byte; each must yield the same events.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/session/frame_cases.h"

namespace millrace::ws {
namespace {

using test::FrameCase;

// Runs a case over its stream cut at the given places.
void run(const FrameCase& c, Role role, const std::vector<std::byte>& wire, std::vector<std::size_t> cuts,
         CarryPool& carries) {
    cuts.push_back(wire.size());
    test::SessionRun session(role, test::kFrameCaseLimit, carries, c.deflate);
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
        session.feed(std::span(wire).subspan(at, cut - at));
        at = cut;
    }
    ASSERT_EQ(session.faults(), "") << "cut at " << ::testing::PrintToString(cuts);
    ASSERT_EQ(session.events(), c.events) << "cut at " << ::testing::PrintToString(cuts);
}

// At every byte, but for the inside of long payloads.
std::size_t stride_at(std::size_t cut, std::size_t size) {
    constexpr std::size_t kEdge = 600;
    return cut < kEdge || cut + kEdge + 1021 > size ? 1 : 1021;
}

class Conformance : public ::testing::TestWithParam<std::tuple<Role, FrameCase>> {};

TEST_P(Conformance, AtEverySplit) {
    const auto& [role, c] = GetParam();
    SCOPED_TRACE(std::string("RFC 6455 (or named) section ") + c.section + ": " + c.name);
    auto carries = CarryPool::create(4);
    ASSERT_TRUE(carries);
    const auto wire = test::wire_of(c.frames, role);
    ASSERT_EQ(test::reference_decode(wire, role, test::kFrameCaseLimit, c.deflate), c.events)
        << "the reference disagrees";

    run(c, role, wire, {}, *carries);
    for (std::size_t cut = 0; cut <= wire.size(); cut += stride_at(cut, wire.size()))
        run(c, role, wire, {cut}, *carries);
    const std::size_t stride = std::max<std::size_t>(1, wire.size() / 40);
    for (std::size_t a = 0; a < wire.size(); a += stride)
        for (std::size_t b = a; b <= wire.size(); b += stride)
            run(c, role, wire, {a, b}, *carries);
    std::vector<std::size_t> each(wire.size());
    for (std::size_t i = 0; i < each.size(); ++i)
        each[i] = i;
    run(c, role, wire, each, *carries);
    EXPECT_EQ(carries->in_use(), 0u);
    EXPECT_EQ(carries->refused(), 0u);
}

std::string name_of_case(const ::testing::TestParamInfo<Conformance::ParamType>& info) {
    return test_name(std::get<Role>(info.param), std::get<FrameCase>(info.param), info.index);
}

INSTANTIATE_TEST_SUITE_P(Rfc6455, Conformance,
                         ::testing::Combine(::testing::Values(Role::kServer, Role::kClient),
                                            ::testing::ValuesIn(test::frame_cases())),
                         name_of_case);

}  // namespace
}  // namespace millrace::ws
