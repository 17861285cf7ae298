#pragma once
// A log-linear histogram of durations, as HdrHistogram has them: three significant digits from 1 ns to 60 s,
// in memory of a fixed size that is taken when the histogram is made. Recording is a shift and two
// increments.
//
// Values below 2,048 have a bucket each. Above that every doubling is divided into 1,024 buckets of equal
// width, so a bucket is never wider than 1/1,024 of the values in it:
//
//     bucket    0 .. 2047   2048 .. 3071   3072 .. 4095   ...
//     value     0 .. 2047   2048 .. 4095   4096 .. 8191   ...
//     width     1           2              4              ...

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "netstack/base/time.h"

namespace millrace::bench {

class Histogram {
  public:
    static constexpr std::uint64_t kHighest =
        60'000'000'000;  // ns; longer ones count as this, and as clamped()

    Histogram();

    // Allocates nothing; below 5 ns (bench/micro/histogram.cc).
    void record(std::uint64_t nanoseconds) {
        if (nanoseconds > kHighest) [[unlikely]] {
            nanoseconds = kHighest;
            ++clamped_;
        }
        ++buckets_[bucket_of(nanoseconds)];
        sum_ += nanoseconds;
        if (nanoseconds < min_) min_ = nanoseconds;
        if (nanoseconds > max_) max_ = nanoseconds;
    }
    // A negative duration is a fault of the clock and counts as zero.
    void record(Duration duration) {
        record(duration < Duration::zero() ? 0 : static_cast<std::uint64_t>(duration.count()));
    }

    void merge(const Histogram& other);
    // All that is in it, as numbers that another process can merge with nothing lost.
    std::vector<std::uint64_t> packed() const;
    // The same from such numbers; false, and unchanged, when they are none.
    bool merge_packed(const std::vector<std::uint64_t>& packed);
    void reset();

    // visitor(highest value of the bucket, how many are in it), of those that are not empty, in order.
    template <class Visitor>
    void visit(Visitor&& visitor) const {
        for (std::size_t i = 0; i < buckets_.size(); ++i)
            if (buckets_[i] != 0) visitor(end_of(i), buckets_[i]);
    }

    std::uint64_t count() const;
    std::uint64_t sum() const { return sum_; }
    std::uint64_t clamped() const { return clamped_; }
    // Exact, not rounded to a bucket. All are 0 in an empty histogram.
    std::uint64_t min() const { return min_ <= max_ ? min_ : 0; }
    std::uint64_t max() const { return max_; }
    double mean() const;
    // The smallest value that at least `percentile` percent (0 to 100) of the values do not exceed, rounded
    // up to the end of its bucket, as HdrHistogram rounds, and never above max().
    std::uint64_t percentile(double percentile) const;

    static constexpr std::size_t bucket_of(std::uint64_t value) {
        if (value < kLinear) return static_cast<std::size_t>(value);
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kLinearBits;
        return static_cast<std::size_t>((std::uint64_t{shift} << kHalfBits) + (value >> shift));
    }
    // The highest value that falls into the bucket.
    static constexpr std::uint64_t end_of(std::size_t bucket) {
        if (bucket < kLinear) return bucket;
        const unsigned shift = static_cast<unsigned>(bucket >> kHalfBits) - 1;
        const std::uint64_t sub = bucket - (std::size_t{shift} << kHalfBits);
        return ((sub + 1) << shift) - 1;
    }

  private:
    static constexpr unsigned kLinearBits = 11;  // 2,048 > 2 * 10^3: three digits
    static constexpr unsigned kHalfBits = kLinearBits - 1;
    static constexpr std::uint64_t kLinear = std::uint64_t{1} << kLinearBits;

    std::vector<std::uint64_t> buckets_;
    std::uint64_t sum_ = 0;
    std::uint64_t min_ = ~std::uint64_t{0};
    std::uint64_t max_ = 0;
    std::uint64_t clamped_ = 0;
};

}  // namespace millrace::bench
