#include "bench/result/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace millrace::bench {

Histogram::Histogram() : buckets_(bucket_of(kHighest) + 1) {}

void Histogram::merge(const Histogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        buckets_[i] += other.buckets_[i];
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    clamped_ += other.clamped_;
}

void Histogram::reset() {
    *this = Histogram();
}

std::uint64_t Histogram::count() const {
    return std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0});
}

double Histogram::mean() const {
    const std::uint64_t n = count();
    return n == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(n);
}

std::uint64_t Histogram::percentile(double percentile) const {
    const std::uint64_t n = count();
    if (n == 0) return 0;
    const double rank = std::ceil(std::clamp(percentile, 0.0, 100.0) / 100 * static_cast<double>(n));
    const std::uint64_t wanted = std::clamp(static_cast<std::uint64_t>(rank), std::uint64_t{1}, n);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        seen += buckets_[i];
        if (seen >= wanted) return std::min(end_of(i), max_);
    }
    return max_;
}

}  // namespace millrace::bench
