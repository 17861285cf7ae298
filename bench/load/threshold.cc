#include "bench/load/threshold.h"

#include <fmt/format.h>

#include <functional>

#include "engine/options/units.h"

namespace millrace::bench {

namespace {

struct Known {
    std::string_view name;
    bool is_time;
    double (*measure)(const LoadResult&);
};

template <auto Member>
double quantile(const LoadResult& result) {
    return static_cast<double>(result.rtt_ns.*Member);
}

template <auto Member>
double count(const LoadResult& result) {
    return static_cast<double>(result.*Member);
}

constexpr Known kKnown[] = {{"min", true, quantile<&Quantiles::min>},
                            {"mean", true, quantile<&Quantiles::mean>},
                            {"p50", true, quantile<&Quantiles::p50>},
                            {"p90", true, quantile<&Quantiles::p90>},
                            {"p99", true, quantile<&Quantiles::p99>},
                            {"p99.9", true, quantile<&Quantiles::p99_9>},
                            {"p99.99", true, quantile<&Quantiles::p99_99>},
                            {"max", true, quantile<&Quantiles::max>},
                            {"rate", false, count<&LoadResult::messages_per_s>},
                            {"lost", false, count<&LoadResult::lost>},
                            {"corrupted", false, count<&LoadResult::corrupted>},
                            {"closed", false, count<&LoadResult::closed>}};

constexpr std::string_view kHowToWrite =
    "write a threshold as 'p99<50us', 'rate>=100k' or 'lost<=0', of min, mean, p50, p90, p99, p99.9, p99.99, "
    "max, rate, lost, corrupted and closed";

}  // namespace

Expected<Threshold> Threshold::parse(std::string_view text) {
    const auto wrong = [text](std::string_view why) {
        return fail(fmt::format("'{}' {}: {}", text, why, kHowToWrite));
    };
    const std::size_t at = text.find_first_of("<>");
    if (at == text.npos) return wrong("has no < or >");
    const bool or_equal = text.substr(at + 1, 1) == "=";
    const std::string_view name = text.substr(0, at), bound = text.substr(at + (or_equal ? 2 : 1));
    Threshold threshold;
    threshold.text_ = text;
    threshold.name_ = name;
    for (const Known& known : kKnown)
        if (known.name == name) {
            threshold.measure_ = known.measure;
            threshold.is_time_ = known.is_time;
        }
    if (threshold.measure_ == nullptr) return wrong("names nothing that is measured");
    const auto less = [](double a, double b) { return a < b; };
    const auto at_most = [](double a, double b) { return a <= b; };
    const auto more = [](double a, double b) { return a > b; };
    const auto at_least = [](double a, double b) { return a >= b; };
    if (text[at] == '<')
        threshold.compare_ = or_equal ? Compare(at_most) : Compare(less);
    else
        threshold.compare_ = or_equal ? Compare(at_least) : Compare(more);
    if (threshold.is_time_) {
        const auto time = parse_duration(bound);
        if (!time) return wrong(time.error().message);
        threshold.bound_ = static_cast<double>(time->count());
    } else {
        const auto number = parse_count(bound);
        if (!number) return wrong(number.error().message);
        threshold.bound_ = static_cast<double>(*number);
    }
    return threshold;
}

std::string Threshold::missed(const LoadResult& result) const {
    const double value = measure_(result);
    if (compare_(value, bound_)) return {};
    const std::string is =
        is_time_ ? format_duration(Duration(static_cast<std::int64_t>(value))) : format_count(value);
    return fmt::format("{} is {} (wanted: {})", name_, is, text_);
}

}  // namespace millrace::bench
