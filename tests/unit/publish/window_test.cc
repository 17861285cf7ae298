#include "engine/publish/window.h"

#include <gtest/gtest.h>

#include "engine/publish/pace.h"

namespace millrace::publish {
namespace {

TEST(Window, AsksNowAndThenAndAlwaysBeforeItWouldWaitForNothing) {
    Window window;
    std::uint32_t asked = 0;
    while (window.has_room()) {
        if (window.asks(false)) asked = window.next();
        window.sent();
    }
    EXPECT_EQ(window.unanswered(), Window::kMost);
    EXPECT_EQ(asked, Window::kMost);
    // Answered in the middle, the last that fits is not one of every so many: it asks all the same.
    EXPECT_TRUE(window.answered(10, false));
    asked = 0;
    while (window.has_room()) {
        if (window.asks(false)) asked = window.next();
        window.sent();
    }
    EXPECT_EQ(asked, Window::kMost + 10);
    EXPECT_TRUE(Window().asks(true));
    EXPECT_FALSE(Window().asks(false));
}

TEST(Window, AnAnswerSpeaksForAllBeforeIt) {
    Window window;
    for (int i = 0; i < 100; ++i)
        window.sent();
    EXPECT_TRUE(window.answered(64, false));
    EXPECT_EQ(window.unanswered(), 36u);
    EXPECT_TRUE(window.answered(70, true));
    EXPECT_EQ(window.refused(), 1u);
    EXPECT_EQ(window.unanswered(), 30u);
    EXPECT_TRUE(window.answered(100, false));
    EXPECT_EQ(window.unanswered(), 0u);
    EXPECT_EQ(window.refused(), 1u);
}

TEST(Window, AnAnswerToNothingIsNone) {
    Window window;
    EXPECT_FALSE(window.answered(0, false));
    EXPECT_FALSE(window.answered(1, false));
    window.sent();
    window.sent();
    EXPECT_FALSE(window.answered(3, false));
    EXPECT_TRUE(window.answered(2, false));
    EXPECT_FALSE(window.answered(2, false));
    EXPECT_FALSE(window.answered(1, true));
    EXPECT_EQ(window.refused(), 0u);
}

TEST(Pace, IsTheSourcesAMultipleOfItOrARate) {
    EXPECT_EQ((Pace{1, 0}.due(5, 3s)), 3s);
    EXPECT_EQ((Pace{10, 0}.due(5, 3s)), 300ms);
    EXPECT_EQ((Pace{0, 0}.due(5, 3s)), 0s);
    EXPECT_EQ((Pace{0, 100}.due(5, 3s)), 50ms);
    EXPECT_EQ((Pace{1, 100}.due(5, 3s)), 3s);
}

}  // namespace
}  // namespace millrace::publish
