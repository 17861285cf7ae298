// RFC 9112 section 4: status lines, and response heads as a client sees them.

#include <gtest/gtest.h>

#include <string>

#include "engine/http/message.h"
#include "tests/unit/http/guarded.h"

namespace millrace::http {
namespace {

using namespace std::string_literals;

struct Case {
    const char* section;
    std::string head;
    int status;  // 0: refused
};

constexpr int kRefused = 0;

const Case kCases[] = {
    {"4", "HTTP/1.1 200 OK\r\n\r\n", 200},
    {"4", "HTTP/1.0 404 Not Found\r\n\r\n", 404},
    {"4", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 101},
    {"4", "HTTP/1.1 200 \r\n\r\n", 200},
    {"4", "HTTP/1.1 200\r\n\r\n", 200},
    {"4", "HTTP/1.1 599 \xc3\xa4\t!\r\n\r\n", 599},
    {"4", "HTTP/1.1 100 Continue\r\n\r\n", 100},
    {"4", "HTTP/1.1 099 x\r\n\r\n", kRefused},
    {"4", "HTTP/1.1 600 x\r\n\r\n", kRefused},
    {"4", "HTTP/1.1 20 OK\r\n\r\n", kRefused},
    {"4", "HTTP/1.1 2000 OK\r\n\r\n", kRefused},
    {"4", "HTTP/1.1 2x0 OK\r\n\r\n", kRefused},
    {"4", "HTTP/1.1  200 OK\r\n\r\n", kRefused},
    {"4", "HTTP/1.1\t200 OK\r\n\r\n", kRefused},
    {"4", "HTTP/1.1 200 a\0b\r\n\r\n"s, kRefused},
    {"4", "HTTP/1.1 200 a\x7f\r\n\r\n", kRefused},
    {"2.2", "HTTP/1.1 200 OK\n\n", kRefused},
    {"2.2", "HTTP/1.1 200 OK\r\nA: b\n\r\n", kRefused},
    {"2.2", "HTTP/1.1 200 OK\rA: b\r\n\r\n", kRefused},
    {"2.2", "\r\nHTTP/1.1 200 OK\r\n\r\n", kRefused},
    {"2.3", "HTTP/2 200 OK\r\n\r\n", kRefused},
    {"2.3", "http/1.1 200 OK\r\n\r\n", kRefused},
    {"2.3", "ICY 200 OK\r\n\r\n", kRefused},
    {"2.3", "\x15\x03\x01\x00\x02\x02\x0a"s, kRefused},
    {"5.1", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", kRefused},
    {"5.2", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", kRefused},
    {"6.3", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", kRefused},
    {"6.3", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", kRefused},
    {"6.1", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", kRefused},
    {"6.1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200},
};

class ResponseTable : public ::testing::TestWithParam<Case> {};

TEST_P(ResponseTable, HasItsVerdict) {
    const Case& c = GetParam();
    Response response;
    const ParseResult result = parse_response(c.head, response, Limits{});
    if (c.status == kRefused) {
        EXPECT_EQ(result.status, ParseStatus::kBad);
        EXPECT_STRNE(result.why, "");
        return;
    }
    ASSERT_EQ(result.status, ParseStatus::kComplete) << result.why;
    EXPECT_EQ(response.status, c.status);
    EXPECT_EQ(response.head_bytes, c.head.size());
}

TEST_P(ResponseTable, KeepsItsVerdictWhereverItIsCut) {
    const Case& c = GetParam();
    Response response;
    const ParseResult whole = parse_response(c.head, response, Limits{});
    test::GuardedBytes guarded(c.head.size());
    bool decided = false;
    for (std::size_t size = 0; size <= c.head.size(); ++size) {
        const ParseResult part =
            parse_response(guarded.hold(std::string_view(c.head).substr(0, size)), response, Limits{});
        if (part.status == ParseStatus::kIncomplete) {
            EXPECT_FALSE(decided) << "undecided again at " << size;
            continue;
        }
        decided = true;
        EXPECT_EQ(part.status, whole.status);
        EXPECT_STREQ(part.why, whole.why) << "at " << size;
    }
    EXPECT_TRUE(decided);
}

INSTANTIATE_TEST_SUITE_P(Rfc9112, ResponseTable, ::testing::ValuesIn(kCases), [](const auto& tested) {
    std::string section = tested.param.section;
    for (char& c : section)
        if (c == '.') c = '_';
    return "Section" + section + "_Case" + std::to_string(tested.index);
});

TEST(Response, IsSplitIntoItsParts) {
    const std::string text = "HTTP/1.0 302 Moved  over there \r\nLocation: /x\r\n\r\nrest";
    Response response;
    ASSERT_TRUE(parse_response(text, response, Limits{}).complete());
    EXPECT_EQ(response.minor_version, 0);
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(response.reason, "Moved  over there ");
    EXPECT_EQ(response.fields.get("location"), "/x");
    EXPECT_EQ(response.head_bytes, text.size() - 4);
}

TEST(Response, IsBounded) {
    const std::string text = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    Response response;
    EXPECT_TRUE(parse_response(text, response, Limits{.head_bytes = text.size()}).complete());
    EXPECT_EQ(parse_response(text, response, Limits{.head_bytes = text.size() - 1}).status,
              ParseStatus::kBad);
}

}  // namespace
}  // namespace millrace::http
