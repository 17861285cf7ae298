// RFC 9112 sections 2, 3, 5 and 6 as a table: what is accepted, and what is refused with which status.

#include <gtest/gtest.h>

#include <string>

#include "engine/http/message.h"
#include "tests/unit/http/guarded.h"

namespace millrace::http {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Case {
    const char* section;
    std::string head;
    int status;  // 0: accepted
};

constexpr int kAccepted = 0;

std::string head(std::string_view request_line, std::string_view fields = "Host: a\r\n") {
    return std::string(request_line) + "\r\n" + std::string(fields) + "\r\n";
}

std::string with(std::string_view fields) {
    return head("GET / HTTP/1.1", "Host: a\r\n" + std::string(fields));
}

const Case kCases[] = {
    // Empty lines, line ends
    {"2.2", "\r\n" + with(""), kAccepted},
    {"2.2", "\r\n\r\n\r\n\r\n" + with(""), kAccepted},
    {"2.2", "\r\n\r\n\r\n\r\n\r\n" + with(""), 400},
    {"2.2", "\n" + with(""), 400},
    {"2.2", "\r" + with(""), 400},
    {"2.2", " " + with(""), 400},
    {"2.2", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"2.2", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", 400},

    // HTTP-version
    {"2.3", head("GET / HTTP/1.0"), kAccepted},
    {"2.3", head("GET / HTTP/1.0", ""), kAccepted},
    {"2.3", head("GET / HTTP/1.2"), kAccepted},
    {"2.3", head("GET / HTTP/2.0"), 505},
    {"2.3", head("GET / HTTP/0.9"), 505},
    {"2.3", head("GET / HTTP/3"), 505},
    {"2.3", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"2.3", head("GET / http/1.1"), 400},
    {"2.3", head("GET / HTTP/1.10"), 400},
    {"2.3", head("GET / HTTP/10.1"), 400},
    {"2.3", head("GET / HTTP/1,1"), 400},
    {"2.3", head("GET / HTTP/1."), 400},
    {"2.3", head("GET / HTTP/1.x"), 400},
    {"2.3", head("GET / HTTP/"), 400},
    {"2.3", head("GET / HTTP/x.1"), 400},
    {"2.3", head("GET / ICAP/1.0"), 400},

    // Request line
    {"3", head("GET /"), 400},
    {"3", head("GET"), 400},
    {"3", head("GET  / HTTP/1.1"), 400},
    {"3", head("GET /  HTTP/1.1"), 400},
    {"3", head("GET / HTTP/1.1 "), 400},
    {"3", head("GET\t/ HTTP/1.1"), 400},
    {"3", head("GET /\tHTTP/1.1"), 400},
    {"3", head("GET /a b HTTP/1.1"), 400},
    {"3.1", head("get / HTTP/1.1"), kAccepted},
    {"3.1", head("M-SEARCH * HTTP/1.1"), 400},
    {"3.1", head("M-SEARCH / HTTP/1.1"), kAccepted},
    {"3.1", head("A!#$%&'*+-.^_`|~9 / HTTP/1.1"), kAccepted},
    {"3.1", head("G(T / HTTP/1.1"), 400},
    {"3.1", head("G\xc3\x84T / HTTP/1.1"), 400},
    {"3.1", head("G\0T / HTTP/1.1"sv), 400},
    {"3.1", head(std::string(32, 'A') + " / HTTP/1.1"), kAccepted},
    {"3.1", head(std::string(33, 'A') + " / HTTP/1.1"), 501},
    {"3", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400},
    {"3", "SSH-2.0-OpenSSH_9.2p1\r\n", 400},
    {"3", "{\"id\":1}\r\n\r\n", 400},
    {"3", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s, 400},
    {"3", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + with(""), 400},

    // Targets
    {"3.2.1", head("GET /where?q=now HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET /a/b;c=d/%7Euser/?a=1&b={x}|y HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET //double HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET where HTTP/1.1"), 400},
    {"3.2.1", head("GET ?q HTTP/1.1"), 400},
    {"3.2.1", head("GET /a#b HTTP/1.1"), 400},
    {"3.2.1", head("GET /\"a\" HTTP/1.1"), 400},
    {"3.2.1", head("GET /<a> HTTP/1.1"), 400},
    {"3.2.1", head("GET /\x7f HTTP/1.1"), 400},
    {"3.2.1", head("GET /\xc3\xa9 HTTP/1.1"), 400},
    {"3.2.1", head("GET /\0 HTTP/1.1"sv), 400},
    {"3.2.1", head("GET /" + std::string(40, 'x') + "\x01 HTTP/1.1"), 400},
    {"3.2.2", head("GET http://www.example.org/pub/ HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET HTTP://www.example.org:8080?x HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET ws://[::1]:9001/ HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET http:///path HTTP/1.1"), 400},
    {"3.2.2", head("GET http://:80/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://user@host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http:/host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET ://host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET 1http://host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://host:port/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://a/ HTTP/1.1", ""), 400},
    {"3.2.3", head("CONNECT www.example.com:80 HTTP/1.1"), kAccepted},
    {"3.2.3", head("CONNECT [::1]:443 HTTP/1.1"), kAccepted},
    {"3.2.3", head("CONNECT www.example.com HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT www.example.com: HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT :80 HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT / HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT http://a/ HTTP/1.1"), 400},
    {"3.2.3", head("GET www.example.com:80 HTTP/1.1"), 400},
    {"3.2.4", head("OPTIONS * HTTP/1.1"), kAccepted},
    {"3.2.4", head("OPTIONS http://a HTTP/1.1"), kAccepted},
    {"3.2.4", head("GET * HTTP/1.1"), 400},
    {"3.2.4", head("OPTIONS ** HTTP/1.1"), 400},

    // Host
    {"3.2", head("GET / HTTP/1.1", ""), 400},
    {"3.2", head("GET / HTTP/1.1", "X: a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "host: a\r\nHOST: a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.0", "Host: a\r\nHost: b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host:\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: 127.0.0.1:9001\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: [2001:db8::1]:80\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: [2001:db8::1\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: []\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: [::1]x\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a/b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: u@a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:80:80\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:x\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:123456\r\n"), 400},

    // Field lines
    {"5", with("X:\r\n"), kAccepted},
    {"5", with("X: \t \r\n"), kAccepted},
    {"5", with("X:a\r\n"), kAccepted},
    {"5", with("X: a b\tc \xff\x80\r\n"), kAccepted},
    {"5", with("x_9.~: 1\r\n"), kAccepted},
    {"5", with(": a\r\n"), 400},
    {"5", with("X\r\n"), 400},
    {"5", with("X Y: a\r\n"), 400},
    {"5", with("X(): a\r\n"), 400},
    {"5", with("X\xc3\xa9: a\r\n"), 400},
    {"5", with("X\0: a\r\n"sv), 400},
    {"5", with("X: a\0b\r\n"sv), 400},
    {"5",
     with("X: a\x01"
          "b\r\n"),
     400},
    {"5", with("X: a\x7f\r\n"), 400},
    {"5", with("X: a\x1b[0m\r\n"), 400},
    {"5", with("X: " + std::string(100, 'a') + "\x0b\r\n"), 400},
    {"5.1", with("X : a\r\n"), 400},
    {"5.1", with("X\t: a\r\n"), 400},
    {"5.1", with("Content-Length : 5\r\n"), 400},
    {"5.2", with("X: a\r\n b\r\n"), 400},
    {"5.2", with("X: a\r\n\tb\r\n"), 400},

    // Content-Length, Transfer-Encoding
    {"6.2", with("Content-Length: 0\r\n"), kAccepted},
    {"6.2", with("Content-Length: 18446744073709551615\r\n"), kAccepted},
    {"6.2", with("Content-Length: 18446744073709551616\r\n"), 400},
    {"6.2", with("Content-Length:\r\n"), 400},
    {"6.2", with("Content-Length: -1\r\n"), 400},
    {"6.2", with("Content-Length: +1\r\n"), 400},
    {"6.2", with("Content-Length: 0x10\r\n"), 400},
    {"6.2", with("Content-Length: 1 2\r\n"), 400},
    {"6.2", with("Content-Length: 1.0\r\n"), 400},
    {"6.3", with("Content-Length: 5, 5\r\n"), 400},
    {"6.3", with("Content-Length: 5\r\ncontent-length: 5\r\n"), kAccepted},
    {"6.3", with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\n"), kAccepted},
    {"6.1", with("transfer-encoding: ChUnKeD\r\n"), kAccepted},
    {"6.1", with("Transfer-Encoding: , chunked ,\r\n"), kAccepted},
    {"6.1", with("Transfer-Encoding: gzip\r\n"), 501},
    {"6.1", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"6.1", with("Transfer-Encoding: chunked, identity\r\n"), 501},
    {"6.1", with("Transfer-Encoding: xchunked\r\n"), 501},
    {"6.1", with("Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"6.1", with("Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding:\r\n"), 400},
    {"6.1", head("GET / HTTP/1.0", "Transfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
};

bool same(const ParseResult& a, const ParseResult& b) {
    return a.status == b.status && a.http_status == b.http_status && a.why == std::string_view(b.why);
}

class RequestTable : public ::testing::TestWithParam<Case> {};

TEST_P(RequestTable, HasItsVerdict) {
    const Case& c = GetParam();
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
    const Case& c = GetParam();
    Request request;
    const ParseResult whole = parse_request(c.head, request, Limits{});
    test::GuardedBytes guarded(c.head.size());
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
    const Case& c = GetParam();
    Request request;
    const ParseResult whole = parse_request(c.head, request, Limits{});
    EXPECT_TRUE(same(parse_request(c.head + "\0\n\x16 GET / HTTP/1.1\r\n\r\n"s, request, Limits{}), whole));
    if (c.status == kAccepted) {
        EXPECT_EQ(request.head_bytes, c.head.size());
    }
}

INSTANTIATE_TEST_SUITE_P(Rfc9112, RequestTable, ::testing::ValuesIn(kCases), [](const auto& tested) {
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
