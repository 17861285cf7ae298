// What the session promises beside the rules of RFC 6455: data are yielded where they lie, memory is held
// only while a header or control frame is cut, and a dry pool fails one connection and no other.

#include "engine/session/session.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/session/reference.h"

namespace millrace::ws {
namespace {

using test::Frame;

class SessionTest : public ::testing::Test {
  protected:
    SessionTest() : carries_(*CarryPool::create(2)) { session_.open(Role::kServer); }
    ~SessionTest() override { session_.release(shared_); }

    Step next() { return session_.next(in_, shared_); }
    void receive(const std::vector<Frame>& frames) {
        wire_ = test::wire_of(frames, Role::kServer);
        in_ = wire_;
    }

    CarryPool carries_;
    SessionShared shared_{.max_message = 1 << 20, .carries = carries_};
    Session session_;
    std::vector<std::byte> wire_;
    std::span<std::byte> in_;
};

TEST_F(SessionTest, AMessageInOneBufferIsOneStepInPlace) {
    for (const std::size_t size : {5, 125, 126, 3000, 70000}) {
        receive({{.opcode = 2, .payload = std::string(size, 'd')}});
        const Step step = next();
        EXPECT_EQ(step.kind, StepKind::kData);
        EXPECT_TRUE(step.first && step.last);
        EXPECT_EQ(step.opcode, Opcode::kBinary);
        EXPECT_EQ(step.payload.size(), size);
        EXPECT_EQ(step.payload.data(), wire_.data() + wire_.size() - size);
        EXPECT_EQ(step.payload.back(), std::byte{'d'});
        EXPECT_TRUE(in_.empty());
        EXPECT_EQ(next().kind, StepKind::kNeedMore);
    }
}

TEST_F(SessionTest, AMessageOfThreeBuffersIsThreePiecesWhereTheyLie) {
    receive({{.opcode = 1, .payload = "abcdefghi"}});
    const std::span<std::byte> all(wire_);
    in_ = all.first(6 + 2);
    Step step = next();
    EXPECT_TRUE(step.first && !step.last);
    EXPECT_EQ(step.payload.data(), &wire_[6]);
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    in_ = all.subspan(8, 4);
    step = next();
    EXPECT_TRUE(!step.first && !step.last);
    EXPECT_EQ(step.payload.data(), &wire_[8]);
    in_ = all.subspan(12);
    step = next();
    EXPECT_TRUE(!step.first && step.last);
    EXPECT_EQ(carries_.in_use(), 0u) << "no carry for data";
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(&wire_[6]), 9), "abcdefghi");
}

TEST_F(SessionTest, TheHeaderAloneYieldsNothingAndAnEmptyMessageOneStep) {
    receive({{.opcode = 2, .payload = "x"}});
    in_ = in_.first(6);
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    in_ = std::span(wire_).subspan(6);
    EXPECT_TRUE(next().first);
    receive({{.opcode = 2}});
    const Step step = next();
    EXPECT_EQ(step.kind, StepKind::kData);
    EXPECT_TRUE(step.first && step.last && step.payload.empty());
}

TEST_F(SessionTest, ACarryIsHeldOnlyWhileAHeaderIsCut) {
    receive({{.opcode = 2, .payload = std::string(200, 'x')}});
    const std::span<std::byte> all(wire_);
    in_ = all.first(3);
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    EXPECT_EQ(carries_.in_use(), 1u);
    in_ = all.subspan(3);
    EXPECT_EQ(next().payload.size(), 200u);
    EXPECT_EQ(carries_.in_use(), 0u);
}

TEST_F(SessionTest, ACutPingLiesInTheCarryUntilTheNextCall) {
    receive({{.opcode = 9, .payload = "hello"}, {.opcode = 1, .payload = "t"}});
    const std::span<std::byte> all(wire_);
    in_ = all.first(8);
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    in_ = all.subspan(8);
    const Step step = next();
    EXPECT_EQ(step.kind, StepKind::kPing);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(step.payload.data()), step.payload.size()), "hello");
    EXPECT_EQ(carries_.in_use(), 1u);
    EXPECT_EQ(next().opcode, Opcode::kText);
    EXPECT_EQ(carries_.in_use(), 0u);
}

TEST_F(SessionTest, ReleaseGivesTheCarryBackInEveryState) {
    for (std::size_t cut = 1; cut <= 8; ++cut) {  // inside the header, inside the payload, at its end
        session_.open(Role::kServer);
        receive({{.opcode = 9, .payload = "ab"}});
        const std::span<std::byte> all(wire_);
        in_ = all.first(cut);
        next();
        in_ = all.subspan(cut);
        if (cut % 2 == 0) next();
        session_.release(shared_);
        EXPECT_EQ(carries_.in_use(), 0u) << cut;
        session_.release(shared_);
        EXPECT_EQ(carries_.in_use(), 0u) << "a second release gives nothing";
    }
}

TEST_F(SessionTest, WhenThePoolIsDryOneConnectionFailsWith1013AndOthersGoOn) {
    std::vector<Session> sessions(3);
    for (Session& session : sessions)
        session.open(Role::kServer);
    const auto ping = test::wire_of({{.opcode = 9, .payload = "ping"}}, Role::kServer);
    std::vector<StepKind> outcome;
    for (Session& session : sessions) {
        auto part = ping;
        std::span<std::byte> in = std::span(part).first(7);
        const Step step = session.next(in, shared_);
        outcome.push_back(step.kind);
        if (step.kind == StepKind::kFail) {
            EXPECT_EQ(step.code, CloseCode::kTryAgainLater);
        }
    }
    EXPECT_EQ(outcome, (std::vector{StepKind::kNeedMore, StepKind::kNeedMore, StepKind::kFail}));
    EXPECT_EQ(carries_.refused(), 1u);
    EXPECT_EQ(carries_.in_use(), 2u);
    for (Session& session : std::span(sessions).first(2)) {
        auto rest = ping;
        std::span<std::byte> in = std::span(rest).subspan(7);
        EXPECT_EQ(session.next(in, shared_).kind, StepKind::kPing);
    }
    // What needs no carry goes on while the pool is dry.
    receive({{.opcode = 1, .payload = "whole"}});
    EXPECT_EQ(next().kind, StepKind::kData);
    for (Session& session : sessions)
        session.release(shared_);
    EXPECT_EQ(carries_.in_use(), 0u);
}

// Section 8.1: what came before a text that is not UTF-8 is delivered, and what comes after it is not.
TEST_F(SessionTest, ABatchEndsBeforeATextThatIsNotUtf8AndTheNextStepFails) {
    for (const std::size_t bad : {0u, 1u, 7u, 19u})
        for (const unsigned others : {1u, 2u}) {  // among texts, and among binary messages
            std::vector<Frame> frames(20, Frame{.opcode = others, .payload = "\xE2\x82\xAC and more"});
            frames[bad] = {.opcode = 1, .payload = "cut \xE2\x82"};
            session_.open(Role::kServer);
            receive(frames);
            SmallMessages messages;
            ASSERT_TRUE(session_.batch_ahead(in_));
            ASSERT_EQ(session_.next_batch(in_, shared_, messages), bad);
            for (std::size_t i = 0; i < bad; ++i)
                ASSERT_EQ(std::string(reinterpret_cast<const char*>(messages.payload(i).data()),
                                      messages.payload(i).size()),
                          frames[i].payload);
            EXPECT_FALSE(session_.batch_ahead(in_));
            const Step step = next();
            EXPECT_EQ(step.kind, StepKind::kFail);
            EXPECT_EQ(step.code, CloseCode::kInvalidPayload);
            EXPECT_EQ(next().kind, StepKind::kNeedMore);
            EXPECT_TRUE(in_.empty());
        }
}

TEST_F(SessionTest, ABatchHasNoMessageBeyondTheLimit) {
    shared_.max_message = 10;
    std::vector<Frame> frames(12, Frame{.opcode = 2, .payload = "0123456789"});
    frames[9].payload += "x";
    receive(frames);
    SmallMessages messages;
    ASSERT_EQ(session_.next_batch(in_, shared_, messages), 9u);
    EXPECT_EQ(next().code, CloseCode::kMessageTooBig);
}

TEST_F(SessionTest, NoBatchInsideAMessageNorOfTheWrongRole) {
    receive({{.opcode = 2, .payload = "a", .fin = false}});
    next();
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    receive({{.opcode = 2, .payload = "b"}, {.opcode = 2, .payload = "c"}});
    EXPECT_FALSE(session_.batch_ahead(in_));
    Session client;
    client.open(Role::kClient);
    EXPECT_FALSE(client.batch_ahead(in_));
    session_.open(Role::kServer);
    EXPECT_TRUE(session_.batch_ahead(in_));
}

TEST_F(SessionTest, TheLimitIsDecidedFromTheHeader) {
    shared_.max_message = 10;
    receive({{.opcode = 2, .payload = std::string(10, 'x')}, {.opcode = 2, .payload = "", .announced = 11}});
    EXPECT_EQ(next().payload.size(), 10u);
    const Step step = next();
    EXPECT_EQ(step.kind, StepKind::kFail);
    EXPECT_EQ(step.code, CloseCode::kMessageTooBig);
    receive({{.opcode = 1, .payload = "late"}});
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    EXPECT_TRUE(in_.empty());
}

TEST_F(SessionTest, LoweringTheLimitInsideAMessageCountsWhatCameBefore) {
    receive({{.opcode = 2, .payload = std::string(50, 'x'), .fin = false}});
    EXPECT_EQ(next().kind, StepKind::kData);
    EXPECT_EQ(next().kind, StepKind::kNeedMore);
    shared_.max_message = 20;
    receive({{.opcode = 0, .payload = "y"}});
    EXPECT_EQ(next().code, CloseCode::kMessageTooBig);
}

// Sections 5.5.1 and 7.1.2.
TEST_F(SessionTest, AfterOurCloseNothingMayBeSentButThePeersDataStillCome) {
    EXPECT_TRUE(session_.may_send());
    session_.close_sent();
    EXPECT_FALSE(session_.may_send());
    EXPECT_TRUE(session_.close_was_sent());
    EXPECT_FALSE(session_.close_was_received());
    receive({{.opcode = 1, .payload = "still"}, {.opcode = 8, .payload = "\x03\xE8"}});
    EXPECT_EQ(next().kind, StepKind::kData);
    EXPECT_EQ(next().kind, StepKind::kClose);
    EXPECT_TRUE(session_.close_was_received());
}

TEST_F(SessionTest, AReceivedCloseStillMayBeAnswered) {
    receive({{.opcode = 8, .payload = "\x03\xE8"}});
    EXPECT_EQ(next().kind, StepKind::kClose);
    EXPECT_TRUE(session_.may_send());
    EXPECT_FALSE(session_.close_was_sent());
}

TEST_F(SessionTest, RoleAndReuseOfTheSlot) {
    EXPECT_EQ(session_.role(), Role::kServer);
    session_.close_sent();
    session_.open(Role::kClient);
    EXPECT_EQ(session_.role(), Role::kClient);
    EXPECT_TRUE(session_.may_send());
    EXPECT_LE(sizeof(Session), 32u);
}

// Random streams, mostly right, sometimes damaged, against the reference, cut at random.
class SessionStreams : public ::testing::TestWithParam<Role> {};

std::string random_payload(std::mt19937_64& random) {
    constexpr std::size_t kMost[] = {4, 40, 126, 300, 3000};
    std::string payload(random() % (kMost[random() % 5] + 1), '\0');
    const bool ascii = random() % 2;
    for (char& c : payload)
        c = static_cast<char>(ascii ? 'a' + random() % 26 : random());
    return payload;
}

std::vector<Frame> random_frames(std::mt19937_64& random) {
    std::vector<Frame> frames(1 + random() % 12);
    bool open = false;
    for (Frame& frame : frames) {
        frame.payload = random_payload(random);
        frame.key = static_cast<std::uint32_t>(random());
        const auto kind = random() % 8;
        if (kind == 0) {
            frame.opcode = 9 + random() % 2;
            frame.payload.resize(std::min<std::size_t>(frame.payload.size(), 125));
            continue;
        }
        frame.opcode = open ? 0 : kind < 4 ? 1 : 2;
        if (frame.opcode == 1)
            for (char& c : frame.payload)
                c = static_cast<char>(c & 0x7F);
        frame.fin = random() % 3 != 0;
        open = !frame.fin;
    }
    if (random() % 3 == 0)
        frames.push_back({.opcode = 8,
                          .payload = "\x03\xE8"
                                     "done"});
    return frames;
}

TEST_P(SessionStreams, YieldWhatTheReferenceYields) {
    const Role role = GetParam();
    std::mt19937_64 random(role == Role::kServer ? 1 : 2);
    auto carries = CarryPool::create(2);
    ASSERT_TRUE(carries);
    std::size_t failures = 0;
    std::size_t messages = 0;
    for (int round = 0; round < 4000; ++round) {
        auto wire = test::wire_of(random_frames(random), role);
        if (round % 2) wire[random() % wire.size()] ^= static_cast<std::byte>(1u << random() % 8);
        const auto expected = test::reference_decode(wire, role, 5000);
        for (int split = 0; split < 3; ++split) {
            test::SessionRun run(role, 5000, *carries);
            const std::size_t most = split == 0 ? wire.size() : split == 1 ? 200 : 9;
            for (std::size_t at = 0; at < wire.size();) {
                const std::size_t size =
                    split == 0 ? wire.size() : std::min(random() % (most + 1), wire.size() - at);
                run.feed(std::span(wire).subspan(at, size));
                at += size;
            }
            ASSERT_EQ(run.faults(), "") << "round " << round;
            ASSERT_EQ(run.events(), expected) << "round " << round;
        }
        for (const std::string& event : expected)
            (event.starts_with("fail") ? failures : messages)++;
    }
    EXPECT_EQ(carries->in_use(), 0u);
    EXPECT_GT(failures, 300u);
    EXPECT_GT(messages, 10000u);
}

std::string name_of_role(const ::testing::TestParamInfo<Role>& info) {
    return info.param == Role::kServer ? "Server" : "Client";
}

INSTANTIATE_TEST_SUITE_P(Roles, SessionStreams, ::testing::Values(Role::kServer, Role::kClient),
                         name_of_role);

TEST(CarryPool, IsBoundedReusesTheLastAndCountsRefusals) {
    auto pool = CarryPool::create(2);
    ASSERT_TRUE(pool);
    const auto a = pool->take();
    const auto b = pool->take();
    EXPECT_NE(a, b);
    EXPECT_EQ(pool->take(), CarryPool::kNone);
    EXPECT_EQ(pool->refused(), 1u);
    (*pool)[b].size = 9;
    pool->give(b);
    EXPECT_EQ(pool->take(), b);
    EXPECT_EQ((*pool)[b].size, 0);
    pool->give(a);
    pool->give(b);
    EXPECT_EQ(pool->in_use(), 0u);
    EXPECT_EQ(pool->capacity(), 2u);
}

}  // namespace
}  // namespace millrace::ws
