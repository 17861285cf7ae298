// The histogram against its oracle: the sorted values themselves.

#include "bench/result/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace millrace::bench {
namespace {

TEST(Histogram, EveryBucketEndsWhereTheNextOneBegins) {
    std::uint64_t next = 0;
    const std::size_t last = Histogram::bucket_of(Histogram::kHighest);
    for (std::size_t bucket = 0; bucket <= last; ++bucket) {
        ASSERT_EQ(Histogram::bucket_of(next), bucket);
        const std::uint64_t end = Histogram::end_of(bucket);
        ASSERT_GE(end, next);
        ASSERT_EQ(Histogram::bucket_of(end), bucket);
        // Three significant digits: the bucket is at most a thousandth as wide as its values.
        ASSERT_LE((end - next) * 1000, next);
        next = end + 1;
    }
    EXPECT_GT(next, Histogram::kHighest);
}

std::uint64_t exact_percentile(const std::vector<std::uint64_t>& sorted, double percentile) {
    const double rank = std::ceil(percentile / 100 * static_cast<double>(sorted.size()));
    return sorted[std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1];
}

TEST(Histogram, PercentilesAreTheSortedValuesRoundedUpWithinTheirBucket) {
    std::mt19937_64 random(1);
    for (const double sigma : {0.1, 1.0, 4.0}) {
        std::lognormal_distribution<double> distribution(9, sigma);
        Histogram histogram;
        std::vector<std::uint64_t> values(50'000);
        for (std::uint64_t& value : values) {
            value = std::min(static_cast<std::uint64_t>(distribution(random)), Histogram::kHighest);
            histogram.record(value);
        }
        std::sort(values.begin(), values.end());
        ASSERT_EQ(histogram.count(), values.size());
        EXPECT_EQ(histogram.min(), values.front());
        EXPECT_EQ(histogram.max(), values.back());
        for (const double p : {0.0, 0.001, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0}) {
            const std::uint64_t exact = exact_percentile(values, p);
            const std::uint64_t expected =
                std::min(Histogram::end_of(Histogram::bucket_of(exact)), values.back());
            EXPECT_EQ(histogram.percentile(p), expected) << "sigma " << sigma << " percentile " << p;
        }
        long double sum = 0;
        for (const std::uint64_t value : values)
            sum += value;
        EXPECT_NEAR(histogram.mean(), static_cast<double>(sum / values.size()), 1e-6 * histogram.mean());
    }
}

TEST(Histogram, MergingEqualsRecordingInOne) {
    std::mt19937_64 random(2);
    Histogram one, two, both;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t value = random() % 10'000'000;
        (i % 3 == 0 ? one : two).record(value);
        both.record(value);
    }
    one.merge(two);
    EXPECT_EQ(one.count(), both.count());
    EXPECT_EQ(one.min(), both.min());
    EXPECT_EQ(one.max(), both.max());
    EXPECT_EQ(one.mean(), both.mean());
    for (double p = 0; p <= 100; p += 0.5)
        EXPECT_EQ(one.percentile(p), both.percentile(p));
}

TEST(Histogram, MergingAnEmptyOneChangesNothing) {
    Histogram histogram, empty;
    histogram.record(std::uint64_t{7});
    histogram.merge(empty);
    EXPECT_EQ(histogram.count(), 1u);
    EXPECT_EQ(histogram.min(), 7u);
    empty.merge(histogram);
    EXPECT_EQ(empty.min(), 7u);
}

TEST(Histogram, AnEmptyOneIsAllZeroes) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.min(), 0u);
    EXPECT_EQ(histogram.max(), 0u);
    EXPECT_EQ(histogram.mean(), 0);
    EXPECT_EQ(histogram.percentile(99), 0u);
}

TEST(Histogram, LongerThanTheRangeCountsAsTheHighestAndIsToldApart) {
    Histogram histogram;
    histogram.record(Histogram::kHighest);
    EXPECT_EQ(histogram.clamped(), 0u);
    histogram.record(std::uint64_t{61'000'000'000});
    histogram.record(~std::uint64_t{0});
    EXPECT_EQ(histogram.clamped(), 2u);
    EXPECT_EQ(histogram.count(), 3u);
    EXPECT_EQ(histogram.max(), Histogram::kHighest);
    EXPECT_EQ(histogram.percentile(100), Histogram::kHighest);
}

TEST(Histogram, ANegativeDurationCountsAsZero) {
    Histogram histogram;
    histogram.record(Duration(-5));
    EXPECT_EQ(histogram.count(), 1u);
    EXPECT_EQ(histogram.max(), 0u);
}

TEST(Histogram, ResetForgetsEverything) {
    Histogram histogram;
    histogram.record(std::uint64_t{123});
    histogram.reset();
    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.max(), 0u);
}

}  // namespace
}  // namespace millrace::bench
