// What other tools read of a histogram.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <sstream>

#include "bench/export/csv.h"
#include "bench/export/hdr_log.h"
#include "bench/export/percentile_text.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Histogram thousand() {
    Histogram histogram;
    for (std::uint64_t i = 1; i <= 1000; ++i)
        histogram.record(i * 1000);
    return histogram;
}

TEST(PercentileText, IsReadAsHdrHistogramsPlotterDoes) {
    std::istringstream text(percentile_text(thousand()));
    std::string line;
    std::getline(text, line);
    EXPECT_EQ(line, "       Value     Percentile TotalCount 1/(1-Percentile)");
    std::getline(text, line);
    EXPECT_EQ(line, "");
    double before = -1;
    bool ended = false;
    std::uint64_t last_count = 0;
    while (std::getline(text, line) && line[0] != '#') {
        std::istringstream words(line);
        double value = 0, percentile = 0, rest = 0;
        std::uint64_t count = 0;
        ASSERT_TRUE(words >> value >> percentile >> count) << line;
        EXPECT_GT(percentile, before);
        before = percentile;
        // In microseconds, each value as good as three digits are.
        EXPECT_NEAR(value, static_cast<double>(count), 1.0 + value / 1000) << line;
        EXPECT_GE(static_cast<double>(count), percentile * 1000 - 0.001) << line;
        ended = !(words >> rest);
        last_count = count;
    }
    EXPECT_TRUE(ended);
    EXPECT_EQ(before, 1);
    EXPECT_EQ(last_count, 1000u);
    EXPECT_THAT(line, HasSubstr("#[Mean    =      500.500, StdDeviation   =      288."));
}

TEST(PercentileText, OfNothingSaysSo) {
    EXPECT_THAT(percentile_text(Histogram()), HasSubstr("Total count    =            0"));
}

TEST(HdrLog, AHistogramIsEncodedAsV2Says) {
    Histogram histogram;
    histogram.record(std::uint64_t{1});
    histogram.record(std::uint64_t{1});
    histogram.record(std::uint64_t{3});
    histogram.record(std::uint64_t{10});
    std::string text = hdr_encoded(histogram);
    std::string bytes(text.size(), '\0');
    const int length =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    ASSERT_GT(length, 8);
    EXPECT_EQ(bytes.substr(0, 4), "\x1c\x84\x93\x14");
    std::string plain(200, '\0');
    uLongf size = plain.size();
    ASSERT_EQ(::uncompress(reinterpret_cast<unsigned char*>(plain.data()), &size,
                           reinterpret_cast<const unsigned char*>(bytes.data()) + 8,
                           static_cast<uLong>(length) - 8),
              Z_OK);
    plain.resize(size);
    EXPECT_EQ(plain.substr(0, 4), "\x1c\x84\x93\x13");
    // None at 0, two at 1, none at 2, one at 3, none at six more, one at 10; ZigZag doubles what is positive.
    EXPECT_EQ(plain.substr(40), std::string("\0\x4\0\x2\xb\x2", 6));
}

TEST(HdrLog, HasALineForEachPartAndTag) {
    Latencies latencies;
    latencies.rtt_parts.resize(2);
    latencies.rtt_parts[0].record(std::uint64_t{2'000'000});
    const std::string log = hdr_log(latencies, 1234.5, 3);
    EXPECT_THAT(log, StartsWith("#[Histogram log format version 1.3]\n"));
    EXPECT_THAT(log, HasSubstr("#[StartTime: 1234.500 (seconds since epoch)]\n"));
    EXPECT_THAT(log, HasSubstr("\n0.000,1.500,2.000000,HIST"));
    EXPECT_THAT(log, HasSubstr("\n1.500,1.500,0.000000,HIST"));
    EXPECT_THAT(log, HasSubstr("\nTag=service,0.000,3.000,"));
    EXPECT_THAT(log, HasSubstr("\nTag=send_lag,0.000,3.000,"));
}

TEST(Csv, HasEveryBucket) {
    Latencies latencies;
    latencies.service.record(std::uint64_t{7});
    latencies.service.record(std::uint64_t{7});
    latencies.service.record(std::uint64_t{9});
    latencies.service.record(std::uint64_t{9});
    EXPECT_EQ(csv(latencies), "histogram,value_ns,count,percentile\nservice,7,2,50\nservice,9,2,100\n");
}

}  // namespace
}  // namespace millrace::bench
