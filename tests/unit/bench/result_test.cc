// The result file's schema 1 and the table for people.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bench/result/result_file.h"
#include "bench/result/table.h"

namespace millrace::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result full_result() {
    const char* argv[] = {"millrace-bench", "lab", "--connections", "1m"};
    Result result;
    result.program = "millrace-bench lab";
    result.environment = describe_machine(4, argv);
    result.environment.carrier = "dpdk (cable)";
    result.environment.seed = 7;
    result.environment.server_cores = {0};
    result.environment.client_cores = {1};
    result.connect = ConnectResult{.connections = 999'998,
                                   .failed = 2,
                                   .failed_because = {{"timed out", 2}},
                                   .seconds = 4.5,
                                   .rate_per_s = 222'221.8,
                                   .server_bytes_per_connection = 301.5,
                                   .client_bytes_per_connection = 299.5,
                                   .process_bytes_per_connection = 640};
    result.connect->rates_per_s = {250'000, 200'000};
    result.connect->stalls = {
        {"server", {.turns = 1000, .turn_ns = {.max = 5'000'000}, .over_1ms = 2, .own_max_ns = 400'000}}};
    result.hold = HoldResult{.connections = 999'998,
                             .verified = 999'998,
                             .lost = 0,
                             .held_seconds = 70,
                             .ping_interval_s = 60,
                             .pings = 999'998,
                             .pongs = 999'998};
    result.scatter = ScatterResult{.connections = 999'998,
                                   .few_connections = 1000,
                                   .messages_per_s = 1'200'000,
                                   .few_messages_per_s = 2'000'000,
                                   .ratio = 0.6,
                                   .messages = 6'000'000};
    result.churn = ChurnResult{.seconds = 5,
                               .rate_per_s = 200'000,
                               .rounds = 1'000'000,
                               .failed = 1,
                               .failed_because = {{"refused", 1}}};
    result.close =
        CloseResult{.connections = 999'998, .closed = 999'998, .seconds = 2, .rate_per_s = 499'999};
    result.echo = EchoResult{.connections = 1000,
                             .payload_bytes = 32,
                             .in_flight = 1,
                             .seconds = 5,
                             .messages_per_s = 2'100'000,
                             .bytes_per_s = 67'200'000,
                             .messages = 10'500'000,
                             .verified_bytes = 336'000'000,
                             .server_verified_bytes = 336'000'032,
                             .client_segments = 10'500'001};
    Histogram rtt;
    for (std::uint64_t i = 1; i <= 1000; ++i)
        rtt.record(i);
    result.latency = LatencyResult{.payload_bytes = 32,
                                   .rate_per_s = 500'000,
                                   .sent = 1000,
                                   .rtt_ns = quantiles(rtt),
                                   .floor_rtt_ns = {.min = 400, .mean = 500, .p50 = 480},
                                   .rtt_p50_over_floor_p50 = 2.5};
    return result;
}

TEST(ResultFile, HoldsEveryFieldOfSchemaOne) {
    const auto json = to_json(full_result());
    EXPECT_EQ(json["schema"], 1);
    EXPECT_EQ(json["program"], "millrace-bench lab");
    EXPECT_EQ(json["valid"], true);
    EXPECT_TRUE(json["invalid_because"].is_array() && json["invalid_because"].empty());
    const auto& environment = json["environment"];
    for (const char* key :
         {"cpu", "cores", "kernel", "dpdk", "carrier", "eal", "hugepages", "argv", "seed", "commit"})
        EXPECT_TRUE(environment.contains(key)) << key;
    EXPECT_GE(environment["cores"].get<unsigned>(), 1u);
    EXPECT_EQ(environment["seed"], 7);
    EXPECT_EQ(environment["argv"],
              (std::vector<std::string>{"millrace-bench", "lab", "--connections", "1m"}));
    EXPECT_FALSE(environment["commit"].get<std::string>().empty());
    EXPECT_THAT(environment["dpdk"].get<std::string>(), HasSubstr("DPDK"));

    const auto& stages = json["stages"];
    EXPECT_EQ(stages["connect"]["connections"], 999'998);
    EXPECT_EQ(stages["connect"]["failed"], 2);
    EXPECT_EQ(stages["connect"]["failed_because"]["timed out"], 2);
    EXPECT_EQ(stages["connect"]["seconds"], 4.5);
    EXPECT_EQ(stages["connect"]["rate_per_s"], 222'221.8);
    EXPECT_EQ(stages["connect"]["server_bytes_per_connection"], 301.5);
    EXPECT_EQ(stages["connect"]["client_bytes_per_connection"], 299.5);
    EXPECT_EQ(stages["hold"]["connections"], 999'998);
    EXPECT_EQ(stages["hold"]["verified"], 999'998);
    EXPECT_EQ(stages["hold"]["lost"], 0);
    EXPECT_EQ(stages["connect"]["rates_per_s"][1], 200'000);
    EXPECT_EQ(stages["connect"]["stalls"]["server"]["turns"], 1000);
    EXPECT_EQ(stages["connect"]["stalls"]["server"]["over_1ms"], 2);
    EXPECT_EQ(stages["connect"]["stalls"]["server"]["own_over_1ms"], 0);
    EXPECT_EQ(stages["connect"]["stalls"]["server"]["own_max_ns"], 400'000);
    EXPECT_EQ(stages["connect"]["stalls"]["server"]["turn_ns"]["max"], 5'000'000);
    EXPECT_EQ(stages["hold"]["pings"], 999'998);
    EXPECT_EQ(stages["hold"]["pongs"], 999'998);
    EXPECT_EQ(stages["scatter"]["ratio"], 0.6);
    EXPECT_EQ(stages["scatter"]["few_connections"], 1000);
    EXPECT_EQ(stages["churn"]["rounds"], 1'000'000);
    EXPECT_EQ(stages["churn"]["failed_because"]["refused"], 1);
    EXPECT_EQ(stages["close"]["closed"], 999'998);
    EXPECT_EQ(stages["echo"]["connections"], 1000);
    EXPECT_EQ(stages["echo"]["payload_bytes"], 32);
    EXPECT_EQ(stages["echo"]["in_flight"], 1);
    EXPECT_EQ(stages["echo"]["messages_per_s"], 2'100'000);
    EXPECT_EQ(stages["echo"]["bytes_per_s"], 67'200'000);
    EXPECT_EQ(stages["echo"]["verified_bytes"], 336'000'000);
    EXPECT_EQ(stages["echo"]["client_segments"], 10'500'001);
    EXPECT_EQ(stages["latency"]["sent"], 1000);
    EXPECT_EQ(stages["latency"]["lost"], 0);
    for (const char* histogram : {"rtt_ns", "floor_rtt_ns"})
        for (const char* key : {"min", "mean", "p50", "p90", "p99", "p99_9", "p99_99", "max"})
            EXPECT_TRUE(stages["latency"][histogram].contains(key)) << histogram << " " << key;
    EXPECT_EQ(stages["latency"]["rtt_ns"]["p50"], 500);
    EXPECT_EQ(stages["latency"]["rtt_ns"]["mean"], 500.5);
}

TEST(ResultFile, AStageThatDidNotRunIsAbsent) {
    Result result = full_result();
    result.echo.reset();
    result.latency.reset();
    const auto json = to_json(result);
    EXPECT_TRUE(json["stages"].contains("connect"));
    EXPECT_FALSE(json["stages"].contains("echo"));
    EXPECT_FALSE(json["stages"].contains("latency"));
    EXPECT_FALSE(json["stages"].contains("fanout"));
}

TEST(ResultFile, AReasonMakesTheRunInvalid) {
    Result result = full_result();
    result.invalid_because.push_back("2 of 1,000,000 connections failed");
    const auto json = to_json(result);
    EXPECT_EQ(json["valid"], false);
    EXPECT_EQ(json["invalid_because"][0], "2 of 1,000,000 connections failed");
}

TEST(ResultFile, IsWrittenAndReadBack) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("millrace-result-" + std::to_string(static_cast<unsigned long>(::getpid())) + ".json");
    const Result result = full_result();
    ASSERT_TRUE(write_result(result, path.string()));
    std::ifstream file(path);
    EXPECT_EQ(nlohmann::ordered_json::parse(file), to_json(result));
    EXPECT_FALSE(std::filesystem::exists(path.string() + ".part"));
    std::filesystem::remove(path);
}

TEST(ResultFile, AFolderThatIsNotThereIsASentence) {
    const auto written = write_result(full_result(), "/nonexistent/folder/result.json");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("/nonexistent/folder/result.json"));
    EXPECT_THAT(written.error().message, HasSubstr("No such file or directory"));
}

TEST(Table, SaysEachStagesFigures) {
    const std::string text = table(full_result());
    EXPECT_THAT(text, HasSubstr("server on core 0, client on core 1"));
    EXPECT_THAT(text, HasSubstr("222,222 connections a second"));
    EXPECT_THAT(text, HasSubstr("failed: 2 timed out"));
    EXPECT_THAT(text, HasSubstr("999,998 of 999,998"));
    EXPECT_THAT(text, HasSubstr("250,000 for the first million, 200,000 for the last"));
    EXPECT_THAT(text, HasSubstr("the server's longest turn of the loop took 400 µs; of 2 over 1 ms 0 took"));
    EXPECT_THAT(text, HasSubstr("pings every 60 s: 999,998 sent, 999,998 answered"));
    EXPECT_THAT(text, HasSubstr("0.60 of the 2,000,000 with 1,000 connections"));
    EXPECT_THAT(text, HasSubstr("1,000,000 of them in 5 s, 1 failed"));
    EXPECT_THAT(text, HasSubstr("999,998 of 999,998 closed"));
    EXPECT_THAT(text, HasSubstr("2,100,000 messages a second"));
    EXPECT_THAT(text, HasSubstr("1.00 segments a message"));
    EXPECT_THAT(text, HasSubstr("2.50 times"));
    EXPECT_THAT(text, Not(HasSubstr("INVALID")));
}

TEST(Table, LeavesOutWhatDidNotRunAndSaysWhyARunIsInvalid) {
    Result result = full_result();
    result.connect.reset();
    result.invalid_because.push_back("3 messages came back changed");
    const std::string text = table(result);
    EXPECT_THAT(text, Not(HasSubstr("handshakes")));
    EXPECT_THAT(text, HasSubstr("INVALID: 3 messages came back changed"));
}

TEST(Table, Commas) {
    EXPECT_EQ(with_commas(0), "0");
    EXPECT_EQ(with_commas(999), "999");
    EXPECT_EQ(with_commas(1000), "1,000");
    EXPECT_EQ(with_commas(1234567), "1,234,567");
}

}  // namespace
}  // namespace millrace::bench
