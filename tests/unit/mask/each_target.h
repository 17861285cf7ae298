#pragma once
// Runs a test once for each SIMD target that was compiled and that this machine can run.

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>

#include "engine/simd/kernel.h"

namespace millrace::ws::test {

// The parameter is Highway's bit for the target.
class EachTarget : public ::testing::TestWithParam<std::int64_t> {
  protected:
    EachTarget() {
        hwy::SetSupportedTargetsForTest(GetParam());
        simd::AnyKernel::choose_all();
    }
    ~EachTarget() override {
        hwy::SetSupportedTargetsForTest(0);
        simd::AnyKernel::choose_all();
    }
};

inline auto targets() {
    return ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets());
}
inline std::string name_of_target(const ::testing::TestParamInfo<std::int64_t>& info) {
    return hwy::TargetName(info.param);
}

}  // namespace millrace::ws::test
