// Opening handshakes and what only looks like one, on whole endpoints: RFC 9112's parsing rules, RFC 9110
// section 7.8 and RFC 6455 section 4, in memory at every split of the head, and once over io_uring and DPDK.

#include "tests/unit/conformance/openings.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "tests/unit/conformance/memory_pair.h"
#include "tests/unit/conformance/pairs.h"
#include "tests/unit/conformance/stages.h"
#include "tests/unit/conformance/talk.h"

namespace millrace::conformance {
namespace {

using ws::Role;

// Where heads are cut in two: everywhere, but for the inside of very long ones.
std::vector<std::size_t> cuts_of(std::size_t size) {
    std::vector<std::size_t> cuts;
    for (std::size_t cut = 0; cut < size; cut += cut < 400 || cut + 400 > size ? 1 : 97)
        cuts.push_back(cut);
    return cuts;
}

class Openings : public ::testing::Test {
  public:
    static EndpointConfig config() {
        EndpointConfig config;
        config.upgrade.subprotocols = {"chat"};
        return config;
    }
    static ClientTarget target() {
        return {.host = "a", .path = "/echo", .subprotocols = {"chat", "superchat"}};
    }

  protected:
    static void TearDownTestSuite() {
        Stages<Openings>::close<MemoryPair, UringPair, DpdkPair, SecureUringPair, SecureDpdkPair>();
    }
};

class Requests : public Openings, public ::testing::WithParamInterface<Opening> {
  protected:
    template <class Pair>
    void play(std::size_t cut) {
        const Opening& c = GetParam();
        auto& stage = Stages<Openings>::get<Pair>(Role::kServer);
        stage.open();
        stage.send(std::string_view(c.head).substr(0, cut));
        stage.send(std::string_view(c.head).substr(cut));
        if (c.awaits_body) return stage.turns(3), check_taken(stage);
        ASSERT_TRUE(stage.until([&] { return answers(stage.received()) > 0; })) << c.head;
        switch (c.verdict) {
            case OpeningVerdict::kSwitched:
                stage.until([&] { return stage.heard.opens == 1; });
                EXPECT_EQ(status_of(stage.received()), 101);
                EXPECT_EQ(stage.heard.opens, 1);
                break;
            case OpeningVerdict::kRejected:
                EXPECT_EQ(status_of(stage.received()), c.status);
                EXPECT_EQ(stage.heard.opens, 0);
                break;
            case OpeningVerdict::kMalformed:
                check_malformed(stage);
                break;
            case OpeningVerdict::kOrdinary:
                check_taken(stage);
                break;
        }
        stage.close();
    }

    // Refused, and nothing of what follows is taken for a request.
    template <class Stage>
    void check_malformed(Stage& stage) {
        EXPECT_EQ(status_of(stage.received()), GetParam().status);
        stage.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(stage.until([&] { return stage.ended(); }));
        EXPECT_EQ(answers(stage.received()), 1);
        EXPECT_EQ(stage.received().find("page\n"), std::string_view::npos);
    }

    template <class Stage>
    void check_taken(Stage& stage) {
        const int status = status_of(stage.received());
        EXPECT_TRUE(status != 101 && status != 400 && status != 414 && status != 431 && status != 505)
            << stage.received();
        EXPECT_EQ(stage.heard.opens, 0);
        stage.close();
    }

    // Status lines in what came.
    static int answers(std::string_view text) {
        int count = 0;
        for (std::size_t at = 0; (at = text.find("HTTP/1.1 ", at)) != text.npos; at += 9)
            count += at + 9 < text.size() && std::isdigit(static_cast<unsigned char>(text[at + 9]));
        return count;
    }
};

TEST_P(Requests, InMemoryAtEverySplit) {
    for (const std::size_t cut : cuts_of(GetParam().head.size())) {
        SCOPED_TRACE("cut at " + std::to_string(cut));
        play<MemoryPair>(cut);
        if (HasFailure()) return;
    }
}

TEST_P(Requests, OverUring) {
    play<UringPair>(0);
}

TEST_P(Requests, OverDpdk) {
    play<DpdkPair>(0);
}

TEST_P(Requests, OverUringWithTls) {
    play<SecureUringPair>(0);
}

TEST_P(Requests, OverDpdkWithTls) {
    play<SecureDpdkPair>(0);
}

INSTANTIATE_TEST_SUITE_P(Heads, Requests, ::testing::ValuesIn(request_openings()),
                         [](const auto& tested) { return tested.param.name; });

class Responses : public Openings, public ::testing::WithParamInterface<ws::test::ResponseCase> {
  protected:
    template <class Pair>
    void play(std::size_t cut) {
        const auto& c = GetParam();
        auto& stage = Stages<Openings>::get<Pair>(Role::kClient);
        stage.open();
        const std::string head = for_key(c.head, stage.received());
        stage.send(std::string_view(head).substr(0, cut));
        stage.send(std::string_view(head).substr(cut));
        stage.until([&] { return stage.heard.opens + stage.heard.failures > 0 || stage.ended(); });
        EXPECT_EQ(stage.heard.opens, c.established ? 1 : 0);
        EXPECT_TRUE(c.established || stage.until([&] { return stage.ended(); }));
        stage.close();
    }

    // The case's answer to the key that was sent instead of the example's.
    static std::string for_key(std::string head, std::string_view request) {
        const auto replace = [&](std::string_view what, const std::string& by) {
            for (std::size_t at = 0; (at = head.find(what, at)) != head.npos; at += by.size())
                head.replace(at, what.size(), by);
        };
        replace(kExampleAccept, accept_of(request));
        replace(kExampleKey, field_of(request, "Sec-WebSocket-Key"));
        return head;
    }
};

TEST_P(Responses, InMemoryAtEverySplit) {
    for (const std::size_t cut : cuts_of(GetParam().head.size())) {
        SCOPED_TRACE("cut at " + std::to_string(cut));
        play<MemoryPair>(cut);
        if (HasFailure()) return;
    }
}

TEST_P(Responses, OverUring) {
    play<UringPair>(0);
}

TEST_P(Responses, OverDpdk) {
    play<DpdkPair>(0);
}

TEST_P(Responses, OverUringWithTls) {
    play<SecureUringPair>(0);
}

TEST_P(Responses, OverDpdkWithTls) {
    play<SecureDpdkPair>(0);
}

INSTANTIATE_TEST_SUITE_P(Rfc6455_4_1, Responses, ::testing::ValuesIn(ws::test::kResponseCases),
                         [](const auto& tested) { return std::string(tested.param.what); });

}  // namespace
}  // namespace millrace::conformance
