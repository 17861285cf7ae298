// RFC 6455 sections 5 to 8 on whole endpoints: each of frame_cases.h over io_uring and over DPDK, ws and wss,
// in both roles. What must leave follows from what the table says is received: a message is echoed, a Ping
// answered, a Close answered with its code, a failure said with its code; then the connection ends.

#include <gtest/gtest.h>

#include "tests/unit/conformance/pairs.h"
#include "tests/unit/conformance/stages.h"
#include "tests/unit/conformance/talk.h"
#include "tests/unit/session/frame_cases.h"

namespace millrace::conformance {
namespace {

using ws::Role;
using ws::test::Events;
using ws::test::FrameCase;

struct Expected {
    Events answers;       // as the peer reads them
    int code = 0;         // of the Close frame that is the last of them; 0: the connection stays open
    bool failed = false;  // by the endpoint
};

int number_in(const std::string& event) {
    return std::stoi(event.substr(event.find('(') + 1));
}

Expected answers_to(const Events& received) {
    Expected expected;
    for (const std::string& event : received) {
        if (event.starts_with("text") || event.starts_with("binary")) expected.answers.push_back(event);
        if (event.starts_with("ping")) expected.answers.push_back("pong" + event.substr(4));
        if (event.starts_with("close") || event.starts_with("fail")) expected.code = number_in(event);
        expected.failed = event.starts_with("fail");
    }
    // An echo of a Close has its code and no reason; a failure's reason is free.
    if (expected.code != 0) expected.answers.push_back("close(" + std::to_string(expected.code) + ",");
    return expected;
}

class Frames : public ::testing::TestWithParam<std::tuple<Role, FrameCase>> {
  public:
    static EndpointConfig config() { return {.max_message = ws::test::kFrameCaseLimit}; }
    static ClientTarget target() { return {.host = "server", .path = "/echo"}; }

  protected:
    static void TearDownTestSuite() {
        Stages<Frames>::close<UringPair, DpdkPair, SecureUringPair, SecureDpdkPair>();
    }

    template <class Pair>
    void play() {
        const Role role = std::get<0>(GetParam());
        const FrameCase& c = std::get<1>(GetParam());
        SCOPED_TRACE(std::string("RFC 6455 section ") + c.section + ": " + c.name);
        auto& stage = Stages<Frames>::get<Pair>(role);
        ASSERT_TRUE(open_websocket(stage, role));
        const auto wire = ws::test::wire_of(c.frames, role);
        stage.send({reinterpret_cast<const char*>(wire.data()), wire.size()});
        const Expected expected = answers_to(c.events);
        // A client that has answered a Close leaves it to the server to end TCP (section 7.1.1).
        const bool ends = expected.code != 0 && (role == Role::kServer || expected.failed);
        const auto answers = [&] { return events_of(stage, role); };
        until_events(stage, role, expected.answers.size());
        stage.until([&] { return stage.ended() || !ends; });
        stage.turns(5);  // in which nothing more comes
        Events got = answers();
        if (expected.code != 0 && !got.empty() && got.back().starts_with("close("))
            got.back().resize(got.back().find(',') + 1);
        EXPECT_EQ(got, expected.answers);
        EXPECT_EQ(stage.ended(), ends);
        EXPECT_EQ(stage.heard.closes, expected.code ? std::vector<int>{expected.code} : std::vector<int>{});
        stage.close();
    }
};

TEST_P(Frames, OverUring) {
    play<UringPair>();
}

TEST_P(Frames, OverDpdk) {
    play<DpdkPair>();
}

TEST_P(Frames, OverUringWithTls) {
    play<SecureUringPair>();
}

TEST_P(Frames, OverDpdkWithTls) {
    play<SecureDpdkPair>();
}

// Where permessage-deflate was agreed the table's octets are any; deflate_test.cc has real ones.
std::vector<FrameCase> plain_cases() {
    std::vector<FrameCase> cases;
    for (const FrameCase& c : ws::test::frame_cases())
        if (!c.deflate) cases.push_back(c);
    return cases;
}

INSTANTIATE_TEST_SUITE_P(Rfc6455, Frames,
                         ::testing::Combine(::testing::Values(Role::kServer, Role::kClient),
                                            ::testing::ValuesIn(plain_cases())),
                         [](const auto& tested) {
                             return ws::test::test_name(std::get<Role>(tested.param),
                                                        std::get<FrameCase>(tested.param), tested.index);
                         });

}  // namespace
}  // namespace millrace::conformance
