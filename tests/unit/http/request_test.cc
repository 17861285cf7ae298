// RFC 9112: the request parser on request_cases.h, cut anywhere, and what a taken request consists of.

#include <gtest/gtest.h>

#include <string>

#include "engine/http/message.h"
#include "tests/unit/http/guarded.h"
#include "tests/unit/http/request_cases.h"

namespace millrace::http {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using test::head;
using test::kAccepted;
using test::kRequestCases;
using test::RequestCase;
using test::with;

bool same(const ParseResult& a, const ParseResult& b) {
    return a.status == b.status && a.http_status == b.http_status && a.why == std::string_view(b.why);
}

class RequestTable : public ::testing::TestWithParam<RequestCase> {};

TEST_P(RequestTable, HasItsVerdict) {
    const RequestCase& c = GetParam();
    Request request;
    const ParseResult result = parse_request(c.head, request, Limits{});
    EXPECT_EQ(result.status, c.status == kAccepted ? ParseStatus::kComplete : ParseStatus::kBad)
        << result.why;
    EXPECT_EQ(result.http_status, c.status) << result.why;
    EXPECT_EQ(*result.why == '\0', c.status == kAccepted);
    if (c.status == kAccepted) {
        EXPECT_EQ(request.head_bytes, c.head.size());
    }
}

// At every length the verdict is "incomplete" or the final one, and nothing is read past the end.
TEST_P(RequestTable, KeepsItsVerdictWhereverItIsCut) {
    const RequestCase& c = GetParam();
    Request request;
    const ParseResult whole = parse_request(c.head, request, Limits{});
    millrace::test::GuardedBytes guarded(c.head.size());
    bool decided = false;
    for (std::size_t size = 0; size <= c.head.size(); ++size) {
        const ParseResult part =
            parse_request(guarded.hold(std::string_view(c.head).substr(0, size)), request, Limits{});
        if (part.status == ParseStatus::kIncomplete) {
            EXPECT_FALSE(decided) << "undecided again at " << size;
            continue;
        }
        decided = true;
        EXPECT_TRUE(same(part, whole)) << "at " << size << ": " << part.why << " / " << whole.why;
    }
    EXPECT_TRUE(decided);
}

TEST_P(RequestTable, IgnoresWhatFollows) {
    const RequestCase& c = GetParam();
    Request request;
    const ParseResult whole = parse_request(c.head, request, Limits{});
    EXPECT_TRUE(same(parse_request(c.head + "\0\n\x16 GET / HTTP/1.1\r\n\r\n"s, request, Limits{}), whole));
    if (c.status == kAccepted) {
        EXPECT_EQ(request.head_bytes, c.head.size());
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc9112, RequestTable, ::testing::ValuesIn(kRequestCases), [](const auto& tested) {
    std::string section = tested.param.section;
    for (char& c : section)
        if (c == '.') c = '_';
    return "Section" + section + "_Case" + std::to_string(tested.index);
});

TEST(Request, IsSplitIntoItsParts) {
    const std::string text =
        "\r\nPOST /chat/room?id=7&x=? HTTP/1.1\r\nHost:  example.com:8080 \t\r\nContent-Length: "
        "12\r\nX-Empty:\r\n\r\nbody";
    Request request;
    ASSERT_EQ(parse_request(text, request, Limits{}).status, ParseStatus::kComplete);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/chat/room?id=7&x=?");
    EXPECT_EQ(request.path, "/chat/room");
    EXPECT_EQ(request.query, "id=7&x=?");
    EXPECT_EQ(request.host, "example.com:8080");
    EXPECT_EQ(request.minor_version, 1);
    EXPECT_EQ(request.body.framing, BodyFraming::kLength);
    EXPECT_EQ(request.body.length, 12u);
    EXPECT_EQ(request.head_bytes, text.size() - 4);
    ASSERT_EQ(request.fields.all().size(), 3u);
    EXPECT_EQ(request.fields.all()[0].name, "Host");
    EXPECT_EQ(request.fields.all()[0].value, "example.com:8080");
    EXPECT_EQ(request.fields.get("x-empty"), "");
    EXPECT_EQ(request.fields.get("absent"), std::nullopt);
}

TEST(Request, LeavesNothingOfTheOneBefore) {
    Request request;
    ASSERT_TRUE(
        parse_request(head("POST http://b:1/p?q HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n"),
                      request, Limits{})
            .complete());
    EXPECT_EQ(request.body.framing, BodyFraming::kChunked);
    const std::string second = head("GET / HTTP/1.0", "");
    ASSERT_TRUE(parse_request(second, request, Limits{}).complete());
    EXPECT_EQ(request.body.framing, BodyFraming::kNone);
    EXPECT_EQ(request.host, "");
    EXPECT_EQ(request.query, "");
    EXPECT_EQ(request.minor_version, 0);
    EXPECT_TRUE(request.fields.all().empty());
}

// RFC 9112 section 3.2.2: the host of an absolute-form target prevails.
TEST(Request, TargetFormsNameHostAndPath) {
    const struct {
        const char *line, *path, *query, *host;
    } cases[] = {
        {"GET /x?y HTTP/1.1", "/x", "y", "field"},
        {"GET http://target:81/x/?y HTTP/1.1", "/x/", "y", "target:81"},
        {"GET http://target?y HTTP/1.1", "/", "y", "target"},
        {"GET http://[::1]:9/x HTTP/1.1", "/x", "", "[::1]:9"},
        {"OPTIONS http://target HTTP/1.1", "*", "", "target"},
        {"OPTIONS * HTTP/1.1", "*", "", "field"},
        {"CONNECT target:443 HTTP/1.1", "", "", "target:443"},
    };
    for (const auto& c : cases) {
        const std::string text = head(c.line, "Host: field\r\n");
        Request request;
        ASSERT_TRUE(parse_request(text, request, Limits{}).complete()) << c.line;
        EXPECT_EQ(request.path, c.path) << c.line;
        EXPECT_EQ(request.query, c.query) << c.line;
        EXPECT_EQ(request.host, c.host) << c.line;
    }
}

TEST(RequestLimits, TargetIs414AtItsFirstByteTooMany) {
    const Limits limits{.head_bytes = 1000, .target_bytes = 20};
    Request request;
    EXPECT_TRUE(
        parse_request(head("GET /" + std::string(19, 'a') + " HTTP/1.1"), request, limits).complete());
    const std::string long_target = "GET /" + std::string(20, 'a');
    EXPECT_EQ(parse_request(long_target, request, limits).http_status, 414);
    EXPECT_EQ(parse_request(std::string_view(long_target).substr(0, long_target.size() - 1), request, limits)
                  .status,
              ParseStatus::kIncomplete);
}

TEST(RequestLimits, HeadIs431WhenItCannotFitAnyMore) {
    const std::string text = with("X: y\r\n");
    Request request;
    EXPECT_TRUE(parse_request(text, request, Limits{.head_bytes = text.size()}).complete());
    const Limits one_less{.head_bytes = text.size() - 1};
    EXPECT_EQ(parse_request(text, request, one_less).http_status, 431);
    EXPECT_EQ(parse_request(std::string_view(text).substr(0, text.size() - 1), request, one_less).http_status,
              431);
    EXPECT_EQ(parse_request(std::string_view(text).substr(0, text.size() - 2), request, one_less).status,
              ParseStatus::kIncomplete);
}

TEST(RequestLimits, NumberOfFieldsIs431) {
    std::string fields;
    for (std::size_t i = 0; i < kMaxFields - 1; ++i)
        fields += "X: y\r\n";
    Request request;
    EXPECT_TRUE(parse_request(with(fields), request, Limits{}).complete());
    EXPECT_EQ(request.fields.all().size(), kMaxFields);
    EXPECT_EQ(parse_request(with(fields + "X: y\r\n"), request, Limits{}).http_status, 431);
}

// What is no HTTP is recognised by its first bytes, without waiting for a line.
TEST(Request, IsRefusedAtItsFirstWrongByte) {
    const struct {
        std::string bytes;
        std::size_t decided_at;
    } cases[] = {
        {"\x16\x03\x01"s, 1},
        {"\0\0"s, 1},
        {"GET\0"s, 4},
        {"{\"a\"", 1},
        {"GET / HTTQ", 10},
        {"GET / HTTP/2", 12},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01", 30},
        {"GET / HTTP/1.1\r\n ", 17},
    };
    for (const auto& c : cases) {
        Request request;
        const std::string_view bytes(c.bytes);
        EXPECT_EQ(parse_request(bytes.substr(0, c.decided_at), request, Limits{}).status, ParseStatus::kBad)
            << bytes;
        EXPECT_EQ(parse_request(bytes.substr(0, c.decided_at - 1), request, Limits{}).status,
                  ParseStatus::kIncomplete)
            << bytes;
    }
}

TEST(Request, NamesATlsHelloForWhatItIs) {
    Request request;
    EXPECT_STREQ(parse_request("\x16\x03\x01", request, Limits{}).why,
                 "a TLS handshake on a port that speaks plain HTTP");
}

// The scan in blocks agrees with the character tables, for every byte at every place in a block.
TEST(Request, EveryByteIsJudgedAlikeAtEveryPlace) {
    const auto accepted_in_target = [](int c) {
        return c > 0x20 && c < 0x7f &&
               std::string_view("\"#<>").find(static_cast<char>(c)) == std::string_view::npos;
    };
    const auto accepted_in_value = [](int c) { return c == '\t' || (c >= 0x20 && c != 0x7f); };
    const auto accepted_in_name = [](int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c != 0 &&
                std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos);
    };
    Request request;
    for (int c = 0; c < 256; ++c) {
        for (std::size_t place = 0; place < 40; ++place) {
            std::string word(40, 'w');
            word[place] = static_cast<char>(c);
            EXPECT_EQ(parse_request(head("GET /" + word + " HTTP/1.1"), request, Limits{}).complete(),
                      accepted_in_target(c) || c == '?')
                << c << " in a target at " << place;
            EXPECT_EQ(parse_request(with("X: " + word + "\r\n"), request, Limits{}).complete(),
                      accepted_in_value(c))
                << c << " in a value at " << place;
            if (c == ':' && place > 0) continue;  // ends the name
            EXPECT_EQ(parse_request(with(word + ": x\r\n"), request, Limits{}).complete(),
                      accepted_in_name(c))
                << c << " in a name at " << place;
        }
    }
}

}  // namespace
}  // namespace millrace::http
