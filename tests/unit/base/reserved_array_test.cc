#include "netstack/base/reserved_array.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace millrace {
namespace {

TEST(ReservedArray, IsZeroedAndTakesMemoryOnlyWhereTouched) {
    auto array = ReservedArray<std::uint64_t>::create(std::size_t{1} << 27);  // 1 GiB of address space
    ASSERT_TRUE(array);
    EXPECT_EQ((*array)[12345], 0u);
    (*array)[0] = 1;
    (*array)[array->capacity() - 1] = 2;
    EXPECT_LE(array->resident_bytes(), std::size_t{3} << 21);  // three touched places, huge pages at most
    EXPECT_GE(array->resident_bytes(), std::size_t{2} * 4096);
}

}  // namespace
}  // namespace millrace
