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

std::vector<std::uint64_t> Histogram::packed() const {
    std::vector<std::uint64_t> packed{sum_, min_, max_, clamped_};
    for (std::size_t i = 0; i < buckets_.size(); ++i)
        if (buckets_[i] != 0) packed.insert(packed.end(), {i, buckets_[i]});
    return packed;
}

bool Histogram::merge_packed(const std::vector<std::uint64_t>& packed) {
    constexpr std::size_t kHead = 4;
    if (packed.size() < kHead || packed.size() % 2 != 0) return false;
    Histogram other;
    other.sum_ = packed[0];
    other.min_ = packed[1];
    other.max_ = packed[2];
    other.clamped_ = packed[3];
    for (std::size_t i = kHead; i < packed.size(); i += 2) {
        if (packed[i] >= other.buckets_.size()) return false;
        other.buckets_[packed[i]] += packed[i + 1];
    }
    merge(other);
    return true;
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
