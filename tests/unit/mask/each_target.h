#pragma once
// Runs a test once for each SIMD target that was compiled and that this machine can run.

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>

#include "engine/simd/kernel.h"

namespace millrace::ws::test {

// As long as it lives, Highway's `target` is the one.
class ForcedTarget {
  public:
    explicit ForcedTarget(std::int64_t target) {
        hwy::SetSupportedTargetsForTest(target);
        simd::AnyKernel::choose_all();
    }
    ForcedTarget(const ForcedTarget&) = delete;
    ForcedTarget& operator=(const ForcedTarget&) = delete;
    ~ForcedTarget() {
        hwy::SetSupportedTargetsForTest(0);
        simd::AnyKernel::choose_all();
    }
};

// The parameter is Highway's bit for the target.
class EachTarget : public ::testing::TestWithParam<std::int64_t> {
    ForcedTarget target_{GetParam()};
};

inline auto targets() {
    return ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets());
}
inline std::string name_of_target(const ::testing::TestParamInfo<std::int64_t>& info) {
    return hwy::TargetName(info.param);
}

}  // namespace millrace::ws::test
