#include "bench/report/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <utility>

namespace millrace::bench {

namespace {

constexpr std::array kPercentiles{50.0, 90.0, 99.0, 99.9, 99.99};
constexpr std::size_t kResamples = 1000;
constexpr double kBeyond = 10;         // messages
constexpr double kResolution = 0.001;  // of the histogram: what is less is not seen by it

// A sample's counts, part by part, in the buckets that any of them uses.
class Bootstrap {
  public:
    explicit Bootstrap(const Sample& sample) {
        std::set<std::uint64_t> used;
        for (const auto& run : sample)
            for (const Histogram& part : run)
                part.visit([&used](std::uint64_t end, std::uint64_t) { used.insert(end); });
        values_.assign(used.begin(), used.end());
        for (const auto& run : sample) {
            auto& parts = runs_.emplace_back();
            for (const Histogram& part : run) {
                auto& counts = parts.emplace_back();
                part.visit([&](std::uint64_t end, std::uint64_t count) {
                    const auto at = std::lower_bound(values_.begin(), values_.end(), end) - values_.begin();
                    counts.emplace_back(static_cast<std::size_t>(at), static_cast<double>(count));
                });
            }
        }
    }

    // The quantiles of one distribution drawn from the sample.
    std::array<double, kPercentiles.size()> draw(std::mt19937_64& random) const {
        std::vector<double> sum(values_.size());
        for (std::size_t i = 0; i < runs_.size(); ++i) {
            const auto& parts = runs_[random() % runs_.size()];
            for (std::size_t j = 0; j < parts.size(); ++j) {
                for (const auto& [at, count] : parts[random() % parts.size()])
                    sum[at] += count;
            }
        }
        return quantiles_of(sum);
    }

  private:
    std::array<double, kPercentiles.size()> quantiles_of(const std::vector<double>& counts) const {
        double all = 0;
        for (const double count : counts)
            all += count;
        std::array<double, kPercentiles.size()> found{};
        std::size_t at = 0;
        double so_far = 0;
        for (std::size_t k = 0; k < counts.size(); ++k) {
            so_far += counts[k];
            while (at < found.size() && so_far >= std::ceil(kPercentiles[at] / 100 * all))
                found[at++] = static_cast<double>(values_[k]);
        }
        return found;
    }

    std::vector<std::uint64_t> values_;
    using Counts = std::vector<std::pair<std::size_t, double>>;  // place in values_, messages
    std::vector<std::vector<Counts>> runs_;
};

// The middle 95 %.
Interval middle(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t cut = values.size() / 40;
    return {values[cut], values[values.size() - 1 - cut]};
}

Verdict judge(const Interval& ratio) {
    if (ratio.high < 1 - kResolution) return Verdict::kFaster;
    if (ratio.low > 1 + kResolution) return Verdict::kSlower;
    return Verdict::kNoDifference;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::kFaster:
            return "faster";
        case Verdict::kSlower:
            return "slower";
        case Verdict::kNoDifference:
            break;
    }
    return "no difference";
}

Histogram merged(const Sample& sample) {
    Histogram all;
    for (const auto& run : sample)
        for (const Histogram& part : run)
            all.merge(part);
    return all;
}

std::vector<QuantileComparison> compare(const Sample& a, const Sample& b, std::uint64_t seed) {
    const Histogram all_a = merged(a), all_b = merged(b);
    const auto fewer = static_cast<double>(std::min(all_a.count(), all_b.count()));
    if (fewer == 0) return {};
    const Bootstrap from_a(a), from_b(b);
    std::mt19937_64 random(seed);
    std::array<std::vector<double>, kPercentiles.size()> of_a, of_b, ratios;
    for (std::size_t n = 0; n < kResamples; ++n) {
        const auto drawn_a = from_a.draw(random), drawn_b = from_b.draw(random);
        for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
            of_a[i].push_back(drawn_a[i]);
            of_b[i].push_back(drawn_b[i]);
            ratios[i].push_back(drawn_b[i] / std::max(drawn_a[i], 1.0));
        }
    }
    std::vector<QuantileComparison> compared;
    for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
        if (fewer * (1 - kPercentiles[i] / 100) < kBeyond) break;
        QuantileComparison one{.percentile = kPercentiles[i],
                               .a_ns = static_cast<double>(all_a.percentile(kPercentiles[i])),
                               .b_ns = static_cast<double>(all_b.percentile(kPercentiles[i])),
                               .a_interval = middle(std::move(of_a[i])),
                               .b_interval = middle(std::move(of_b[i])),
                               .ratio_interval = middle(std::move(ratios[i]))};
        one.ratio = one.b_ns / std::max(one.a_ns, 1.0);
        one.verdict = judge(one.ratio_interval);
        compared.push_back(one);
    }
    return compared;
}

}  // namespace millrace::bench
