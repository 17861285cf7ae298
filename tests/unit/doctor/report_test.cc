#include "engine/doctor/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace::doctor {
namespace {

const Findings kFindings{{"isolation", Health::kBad, "any program may run there", "boot with isolcpus=0"},
                         {"clock source", Health::kGood, "tsc", ""},
                         {"governor", Health::kUnknown, "a \"virtual\" machine", ""}};

TEST(Report, HasALineForEachAndItsRemedyBelow) {
    EXPECT_EQ(to_text(kFindings),
              "bad      isolation     any program may run there\n"
              "                       -> boot with isolcpus=0\n"
              "good     clock source  tsc\n"
              "unknown  governor      a \"virtual\" machine\n"
              "\n"
              "1 good, 1 bad, 1 unknown\n");
}

TEST(Report, IsJsonForPrograms) {
    const auto said = nlohmann::json::parse(to_json(kFindings));
    EXPECT_EQ(said["schema"], 1);
    EXPECT_EQ(said["bad"], 1);
    ASSERT_EQ(said["findings"].size(), 3u);
    EXPECT_EQ(said["findings"][0]["health"], "bad");
    EXPECT_EQ(said["findings"][0]["remedy"], "boot with isolcpus=0");
    EXPECT_EQ(said["findings"][2]["found"], "a \"virtual\" machine");
}

}  // namespace
}  // namespace millrace::doctor
