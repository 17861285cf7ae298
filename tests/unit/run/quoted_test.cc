#include "engine/run/quoted.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Quoted, NothingEndsTheLineOrTheValueOrReachesTheTerminal) {
    EXPECT_EQ(quoted("slow reader"), "\"slow reader\"");
    EXPECT_EQ(quoted("a\"b\\c\r\n"), "\"a\\x22b\\x5cc\\x0d\\x0a\"");
    EXPECT_EQ(quoted("\x1b]0;title\x07\xc2\x9b"), "\"\\x1b]0;title\\x07\\xc2\\x9b\"");
}

}  // namespace
}  // namespace millrace
