#include "engine/http/writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/http/date.h"
#include "engine/http/exchange.h"
#include "engine/http/target.h"

namespace millrace::http {
namespace {

std::string written(const ResponseHead& head) {
    std::vector<char> out(4096);
    const std::size_t size = write_response(out, head);
    return {out.data(), size};
}

TEST(WriteResponse, SaysWhatItIsGiven) {
    const Field extra[] = {{"Allow", "GET"}};
    EXPECT_EQ(written({.status = 405,
                       .content_length = 12,
                       .content_type = "text/plain",
                       .date = "Sun, 06 Nov 1994 08:49:37 GMT",
                       .keep_alive = false,
                       .extra = extra}),
              "HTTP/1.1 405 Method Not Allowed\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: "
              "text/plain\r\nContent-Length: 12\r\nConnection: close\r\nAllow: GET\r\n\r\n");
    EXPECT_EQ(written({}), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

// RFC 9112 section 9.3: an HTTP/1.0 client is told that the connection persists.
TEST(WriteResponse, TellsAnOldClientThatTheConnectionPersists) {
    EXPECT_EQ(written({.minor_version = 0}),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

// RFC 9110 section 8.6: no Content-Length in 1xx and 204.
TEST(WriteResponse, LeavesContentLengthOutWhereThereIsNoContent) {
    EXPECT_EQ(written({.status = 204}), "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(written({.status = 100}), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(written({.status = 304}), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(WriteResponse, FitsExactlyOrNotAtAll) {
    const ResponseHead head{.content_length = 5, .content_type = "text/html"};
    const std::string whole = written(head);
    ASSERT_FALSE(whole.empty());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::vector<char> out(size);
        EXPECT_EQ(write_response(out, head), 0u) << size;
    }
    std::vector<char> out(whole.size());
    EXPECT_EQ(write_response(out, head), whole.size());
}

TEST(WriteResponse, RefusesValuesThatWouldBreakOutOfTheirLine) {
    for (const char* value : {"a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\x7f"}) {
        const Field extra[] = {{"Location", value}};
        EXPECT_EQ(written({.extra = extra}), "") << value;
    }
    for (const char* name : {"", "a b", "a:", "a\r\n"}) {
        const Field extra[] = {{name, "x"}};
        EXPECT_EQ(written({.extra = extra}), "") << name;
    }
    EXPECT_EQ(written({.status = 99}), "");
    EXPECT_EQ(written({.status = 600}), "");
}

TEST(Date, IsImfFixdate) {
    char out[kDateSize];
    EXPECT_EQ(format_date(784111777, out), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 section 5.6.7
    EXPECT_EQ(format_date(0, out), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(format_date(951827696, out), "Tue, 29 Feb 2000 12:34:56 GMT");
    EXPECT_EQ(format_date(253402300799, out), "Fri, 31 Dec 9999 23:59:59 GMT");
}

bool keeps_alive_after(std::string_view version, std::string_view connection) {
    const std::string text =
        "GET / " + std::string(version) + "\r\nHost: a\r\n" + std::string(connection) + "\r\n";
    Request request;
    EXPECT_TRUE(parse_request(text, request, Limits{}).complete());
    return keeps_alive(request);
}

// RFC 9112 section 9.3.
TEST(Date, OfNowIsRenewedEachSecond) {
    DateNow date;
    const Time start{5s};
    const std::string first(date.at(start));
    EXPECT_EQ(first.size(), kDateSize);
    EXPECT_TRUE(first.ends_with(" GMT"));
    EXPECT_EQ(date.at(start).data(), date.at(start + 1us).data());
    EXPECT_EQ(std::string(date.at(start + 1s)).size(), kDateSize);
}

TEST(Path, IsDecodedOnce) {  // RFC 3986 section 2.1
    std::array<char, 64> out;
    const auto decoded = [&](std::string_view path) { return std::string(decode_path(path, out)); };
    EXPECT_EQ(decoded("/a%20b"), "/a b");
    EXPECT_EQ(decoded("/%2E%2e%2f"), "/../");
    EXPECT_EQ(decoded("/%2541"), "/%41");
    EXPECT_EQ(decoded("/%00"), std::string("/\0", 2));
    for (const char* malformed : {"/%", "/%2", "/%g0", "/%0g", "/% 1", "/%+1"})
        EXPECT_EQ(decoded(malformed), "") << malformed;
}

TEST(Exchange, KnowsAnEtagByItsName) {  // RFC 9110 section 13.1.2
    const auto names = [](const char* value) {
        Request request;
        request.fields.add({"If-None-Match", value});
        return names_etag(request, "\"abc\"");
    };
    for (const char* value : {"\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"})
        EXPECT_TRUE(names(value)) << value;
    for (const char* value : {"\"ab\"", "abc", "\"x\", \"y\"", ""})
        EXPECT_FALSE(names(value)) << value;
    EXPECT_FALSE(names_etag(Request{}, "\"abc\""));
}

TEST(Exchange, DecidesWhetherTheConnectionPersists) {
    EXPECT_TRUE(keeps_alive_after("HTTP/1.1", ""));
    EXPECT_TRUE(keeps_alive_after("HTTP/1.1", "Connection: Upgrade\r\n"));
    EXPECT_FALSE(keeps_alive_after("HTTP/1.1", "Connection: close\r\n"));
    EXPECT_FALSE(keeps_alive_after("HTTP/1.1", "Connection: upgrade , Close\r\n"));
    EXPECT_FALSE(keeps_alive_after("HTTP/1.1", "Connection: a\r\nConnection: CLOSE\r\n"));
    EXPECT_TRUE(keeps_alive_after("HTTP/1.1", "Connection: closed\r\n"));
    EXPECT_FALSE(keeps_alive_after("HTTP/1.0", ""));
    EXPECT_TRUE(keeps_alive_after("HTTP/1.0", "Connection: Keep-Alive\r\n"));
    EXPECT_FALSE(keeps_alive_after("HTTP/1.0", "Connection: keep-alive, close\r\n"));
}

// RFC 9110 section 6.4.1.
TEST(Exchange, KnowsWhichAnswersCarryContent) {
    EXPECT_TRUE(carries_content("GET", 200));
    EXPECT_TRUE(carries_content("POST", 404));
    EXPECT_FALSE(carries_content("HEAD", 200));
    EXPECT_FALSE(carries_content("GET", 101));
    EXPECT_FALSE(carries_content("GET", 204));
    EXPECT_FALSE(carries_content("GET", 304));
}

TEST(Fields, AreFoundWithoutCase) {
    Fields fields;
    ASSERT_TRUE(fields.add({"Accept", "a, B"}));
    ASSERT_TRUE(fields.add({"ACCEPT", ",, c;q=1 ,"}));
    EXPECT_EQ(fields.get("accept"), "a, B");
    EXPECT_EQ(fields.count("accept"), 2u);
    EXPECT_EQ(fields.count("accep"), 0u);
    EXPECT_TRUE(fields.has_token("accept", "b"));
    EXPECT_TRUE(fields.has_token("accept", "C;q=1"));
    EXPECT_FALSE(fields.has_token("accept", "c"));
    EXPECT_FALSE(fields.has_token("accept", ""));
    EXPECT_TRUE(equals_ignoring_case("@[`{", "@[`{"));
    EXPECT_FALSE(equals_ignoring_case("@[", "`{"));
}

TEST(EqualsIgnoringCase, FoldsLettersOnlyAtEveryPlaceAndLength) {
    const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    for (const std::size_t size : {1u, 3u, 7u, 8u, 9u, 16u, 21u}) {
        const std::size_t place = size * 2 / 3;
        std::string a(size, 'x'), b(size, 'X');
        for (int i = 0; i < 256; ++i) {
            for (int j = 0; j < 256; ++j) {
                a[place] = static_cast<char>(i);
                b[place] = static_cast<char>(j);
                ASSERT_EQ(equals_ignoring_case(a, b), lower(i) == lower(j))
                    << i << " and " << j << " of " << size;
            }
        }
    }
    EXPECT_FALSE(equals_ignoring_case("12345678", "123456789"));
    EXPECT_TRUE(equals_ignoring_case("", ""));
}

}  // namespace
}  // namespace millrace::http
