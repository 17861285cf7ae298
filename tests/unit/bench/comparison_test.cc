// Comparing runs: what differs is found, what does not is not, and how often it errs.

#include "bench/report/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "bench/report/page.h"
#include "bench/report/recorded.h"
#include "bench/result/result_file.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Log-normal latencies around `median`, of runs that differ by chance among themselves, too.
Sample some_runs(unsigned seed, double median, std::size_t runs = 5, double run_to_run = 0.02) {
    std::mt19937_64 random(seed);
    Sample sample;
    for (std::size_t r = 0; r < runs; ++r) {
        const double of_run = std::normal_distribution<double>(0, run_to_run)(random);
        std::lognormal_distribution<double> latency(std::log(median) + of_run, 0.3);
        auto& parts = sample.emplace_back(8);
        for (Histogram& part : parts)
            for (int i = 0; i < 500; ++i)
                part.record(static_cast<std::uint64_t>(latency(random)));
    }
    return sample;
}

TEST(Comparison, FindsWhatIsFasterAndWhatIsSlower) {
    const Sample a = some_runs(1, 10'000), b = some_runs(2, 8'000);
    const auto faster = compare(a, b), slower = compare(b, a);
    ASSERT_EQ(faster.size(), 4u);  // 20,000 messages: ten beyond 99.9 %, not beyond 99.99 %
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(faster[i].verdict, Verdict::kFaster) << faster[i].percentile;
        EXPECT_EQ(slower[i].verdict, Verdict::kSlower) << slower[i].percentile;
        EXPECT_NEAR(faster[i].ratio, 0.8, 0.06);
        EXPECT_LT(faster[i].ratio_interval.low, faster[i].ratio);
        EXPECT_GT(faster[i].ratio_interval.high, faster[i].ratio);
    }
}

TEST(Comparison, TheSameIsNoDifference) {
    const Sample a = some_runs(3, 10'000);
    for (const QuantileComparison& one : compare(a, a)) {
        EXPECT_EQ(one.verdict, Verdict::kNoDifference);
        EXPECT_EQ(one.ratio, 1);
    }
}

// Servers that are alike are called different about as often as 95 % allow, and not much oftener, though five
// runs tell little of how runs differ.
TEST(Comparison, ChanceIsSeldomTakenForADifference) {
    int wrong = 0, all = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
        const auto compared = compare(some_runs(100 + seed, 10'000), some_runs(200 + seed, 10'000), seed);
        ASSERT_FALSE(compared.empty());
        wrong += compared[0].verdict != Verdict::kNoDifference;
        ++all;
    }
    EXPECT_LE(wrong, all / 4);
}

// One run in ten was slow: the tail of all messages together has it, an average of medians would not.
TEST(Comparison, PercentilesAreOfAllMessages) {
    Sample sample(10, std::vector<Histogram>(1));
    for (std::size_t r = 0; r < sample.size(); ++r)
        for (int i = 0; i < 100; ++i)
            sample[r][0].record(std::uint64_t{r == 9 ? 1'000'000u : 1000u});
    const Histogram all = merged(sample);
    EXPECT_EQ(all.percentile(90), 1000u);
    EXPECT_EQ(all.percentile(91), 1'000'000u);
}

TEST(Comparison, OfNothingSaysNothing) {
    EXPECT_TRUE(compare({}, some_runs(1, 1000)).empty());
}

Result recorded_run(const std::string& url, std::uint64_t ns) {
    Result result{.program = "millrace-bench latency"};
    result.environment.argv = {"millrace-bench", "latency", url, "-m", "<a b>"};
    LatencyResult latency{.mode = "open loop, constant", .url = url, .requested_per_s = 1000};
    Recorder recorder;
    recorder.begin(Time{1s}, 2s);
    for (int i = 0; i < 2000; ++i)
        recorder.answered(Time{1s} + 1ms * i, Time{1s} + 1ms * i + 10ns,
                          Time{1s} + 1ms * i + Duration(ns + static_cast<std::uint64_t>(i)));
    latency.latencies = recorder.latencies();
    latency.rtt_ns = quantiles(recorder.latencies().rtt());
    PollTrace trace;
    trace.core = 3;
    trace.idle = 1s;
    trace.gaps = {{500ms, 20us}};
    trace.all_gaps = 1;
    latency.polls = {trace};
    result.latency = std::move(latency);
    return result;
}

TEST(Recorded, ARunComesBackFromItsFileAsItWas) {
    const Result run = recorded_run("ws://one/", 5000);
    const auto contenders = read_contenders(text_of(run), "it");
    ASSERT_TRUE(contenders) << contenders.error().message;
    ASSERT_EQ(contenders->size(), 1u);
    EXPECT_EQ(contenders->front().name, "ws://one/");
    EXPECT_EQ(merged(contenders->front().sample()).packed(), run.latency->latencies.rtt().packed());
    EXPECT_EQ(contenders->front().runs[0].parts.size(), Latencies::kParts);
}

TEST(Recorded, RunsOfOneFileAreToldApartByTheirServer) {
    std::vector<Result> runs;
    for (int i = 0; i < 2; ++i) {
        runs.push_back(recorded_run("ws://one/", 5000));
        runs.push_back(recorded_run("ws://two/", 6000));
    }
    runs[3].invalid_because.push_back("it was");
    const auto contenders = read_contenders(text_of(runs), "it");
    ASSERT_TRUE(contenders);
    ASSERT_EQ(contenders->size(), 2u);
    EXPECT_EQ(contenders->at(0).runs.size(), 2u);
    EXPECT_EQ(contenders->at(1).name, "ws://two/");
    EXPECT_TRUE(contenders->at(0).invalid_because().empty());
    EXPECT_EQ(contenders->at(1).invalid_because(), std::vector<std::string>{"it was"});
}

TEST(Recorded, WhatIsNoResultFileIsRefusedWithTheRemedy) {
    for (const char* text : {"", "[]", "{}", R"({"stages":{"latency":{}}})", R"({"runs":3})"}) {
        const auto contenders = read_contenders(text, "x.json");
        ASSERT_FALSE(contenders) << text;
        EXPECT_THAT(contenders.error().message, HasSubstr("x.json is no result file"));
    }
    EXPECT_FALSE(read_contenders(R"({"runs":[]})", "x.json"));
}

TEST(ReportPage, NeedsNothingFromOutsideAndShowsWhatWasRun) {
    auto contenders = *read_contenders(
        text_of(std::vector{recorded_run("ws://one/", 5000), recorded_run("ws://two/<&", 9000)}), "it");
    const std::string html = page(contenders, {compare(contenders[0].sample(), contenders[1].sample())});
    EXPECT_THAT(html, HasSubstr("slower"));
    EXPECT_THAT(html, HasSubstr("ws://two/&lt;&amp;"));
    EXPECT_THAT(html, HasSubstr("millrace-bench latency ws://one/ -m '&lt;a b&gt;'"));
    for (const char* outside : {"http://", "https://", "<script", "@import", "url(", "<a b>"})
        EXPECT_THAT(html, Not(HasSubstr(outside)));
    // Every chart: percentiles, throughput, and a map of each.
    std::size_t charts = 0;
    for (std::size_t at = 0; (at = html.find("<svg", at)) != html.npos; ++at)
        ++charts;
    EXPECT_EQ(charts, 4u);
    EXPECT_THAT(html, HasSubstr("away for 20 µs"));
}

}  // namespace
}  // namespace millrace::bench
