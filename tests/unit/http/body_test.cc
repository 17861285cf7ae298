#include "engine/http/body.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/http/exchange.h"

namespace millrace::http {
namespace {

constexpr std::uint32_t kLimit = 100;

struct Outcome {
    BodyStatus status;
    std::string rest;
    bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << static_cast<int>(outcome.status) << " \"" << outcome.rest << '"';
}

// `text` in pieces of `piece` bytes.
Outcome read(Body body, std::string text, std::size_t piece, std::uint32_t limit = kLimit) {
    BodyReader reader;
    BodyStatus status = reader.begin(body, limit);
    std::size_t at = 0;
    while (status == BodyStatus::kMore && at < text.size()) {
        const std::size_t size = std::min(piece, text.size() - at);
        std::span<std::byte> in = std::as_writable_bytes(std::span(text)).subspan(at, size);
        status = reader.skip(in);
        EXPECT_TRUE(in.empty() || status != BodyStatus::kMore);
        at += size - in.size();
    }
    return {status, text.substr(at)};
}

Body of_length(std::uint64_t length) {
    return {BodyFraming::kLength, length};
}
constexpr Body kChunked{BodyFraming::kChunked, 0};

TEST(BodyReader, Rfc9112_6_3_ContentLengthEndsTheContent) {
    for (const std::size_t piece : {1u, 2u, 100u}) {
        EXPECT_EQ(read(of_length(3), "abcGET", piece), (Outcome{BodyStatus::kDone, "GET"}));
        EXPECT_EQ(read(of_length(3), "ab", piece), (Outcome{BodyStatus::kMore, ""}));
        EXPECT_EQ(read(of_length(0), "GET", piece), (Outcome{BodyStatus::kDone, "GET"}));
        EXPECT_EQ(read(of_length(kLimit), std::string(kLimit + 1, 'x'), piece),
                  (Outcome{BodyStatus::kDone, "x"}));
        EXPECT_EQ(read(of_length(kLimit + 1), "x", piece), (Outcome{BodyStatus::kTooLong, "x"}));
        EXPECT_EQ(read(of_length(UINT64_MAX), "x", piece).status, BodyStatus::kTooLong);
    }
}

TEST(BodyReader, Rfc9112_7_1_ChunksEndWithTheTrailer) {
    for (const std::string text :
         {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n",
          "3;a=b;c=\"d e\"\r\na\r\n\r\n0;x\r\n\r\n", "1 \t;a\r\n\n\r\n0\r\n\r\n",
          "0\r\nX-Sum: 1\r\nY:\r\n\r\n", "b\r\n12345678901\r\n0\r\n\r\n"})
        for (const std::size_t piece : {1u, 2u, 3u, 5u, 100u})
            EXPECT_EQ(read(kChunked, text + "GET", piece), (Outcome{BodyStatus::kDone, "GET"}))
                << testing::PrintToString(text) << " in pieces of " << piece;
}

TEST(BodyReader, Rfc9112_7_1_WhatIsNoChunkIsBad) {
    for (const std::string text : {"\r\n",         "g\r\n",          "-1\r\n",      "+1\r\n",
                                   " 1\r\n",       "0x3\r\nabc",     "3\nabc",      "3\r\r",
                                   "3,\r\n",       "3\r\nabcd",      "3\r\nabc\n",  "3\r\nabc\r\r",
                                   "3;\x01\r\n",   "3;a\n",          "0\r\n\n",     "0\r\nno colon\r\n",
                                   "0\r\n: v\r\n", "0\r\n a: v\r\n", "0\r\na: v\n", "0\r\n\r\r"})
        for (const std::size_t piece : {1u, 100u})
            EXPECT_EQ(read(kChunked, text, piece).status, BodyStatus::kBad) << testing::PrintToString(text);
}

TEST(BodyReader, TheLimitBoundsContentAndFraming) {
    for (const std::string& text : {std::string("65\r\n"),                    // 101
                                    std::string("ffffffffffffffffffff\r\n"),  // beyond 64 bits
                                    std::string(kLimit + 1, '0'),             // digits without end
                                    "1;" + std::string(kLimit, 'x'),          // an extension
                                    "0\r\nx:" + std::string(kLimit, 'x'),     // a trailer
                                    "5f;" + std::string(20, 'x') + "\r\n" + std::string(95, 'y')})
        for (const std::size_t piece : {1u, 1000u})
            EXPECT_EQ(read(kChunked, text, piece).status, BodyStatus::kTooLong)
                << testing::PrintToString(text);
    std::string many;
    for (int i = 0; i < 17; ++i)  // six bytes each
        many += "1\r\nx\r\n";
    EXPECT_EQ(read(kChunked, many, 7).status, BodyStatus::kTooLong);
}

TEST(Expectation, Rfc9110_10_1_1) {
    const auto of = [](std::string fields, int minor) {
        Request request;
        const std::string head =
            "PUT / HTTP/1." + std::to_string(minor) + "\r\nHost: a\r\n" + fields + "\r\n";
        EXPECT_TRUE(parse_request(head, request, {}).complete());
        return expectation(request);
    };
    EXPECT_EQ(of("", 1), Expectation::kNone);
    EXPECT_EQ(of("Expect: 100-Continue\r\n", 1), Expectation::kContinue);
    EXPECT_EQ(of("Expect: 100-continue, lunch\r\n", 1), Expectation::kUnknown);
    EXPECT_EQ(of("Expect: 100-continue\r\nExpect: tea=5\r\n", 1), Expectation::kUnknown);
    EXPECT_EQ(of("Expect: 100-continue\r\n", 0), Expectation::kNone);
}

}  // namespace
}  // namespace millrace::http
