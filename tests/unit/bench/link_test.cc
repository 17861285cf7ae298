// The link between two processes of a run.

#include "bench/control/link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

namespace millrace::bench {
namespace {

using Json = nlohmann::json;

std::array<int, 2> ends() {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, both.data()), 0);
    return both;
}

std::optional<Json> wait_for_message(Link& link) {
    for (;;) {
        if (auto message = link.receive(); message || !link.broken().empty()) return message;
        std::this_thread::yield();
    }
}

TEST(Link, MessagesArriveInOrderHoweverTheyAreCut) {
    const auto [a, b] = ends();
    Link here(a);
    std::string text;
    for (int i = 0; i < 50; ++i)
        text += Json{{"number", i}}.dump() + "\n";
    for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size % 13 + 1) {
        size = std::min(size, text.size() - at);
        ASSERT_EQ(::write(b, text.data() + at, size), static_cast<ssize_t>(size));
        if (at == 0) {
            EXPECT_FALSE(here.receive()) << "of half a line";
        }
    }
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(here.receive(), (Json{{"number", i}}));
    EXPECT_FALSE(here.receive());
    EXPECT_EQ(here.broken(), "");
    ::close(b);
}

TEST(Link, AMessageLongerThanTheSocketsRoomIsWaitedFor) {
    const auto [a, b] = ends();
    Link here(a), there(b);
    const Json large{{"text", std::string(4 << 20, 'x')}};
    std::thread sender([&] { there.send(large); });
    EXPECT_EQ(wait_for_message(here), large);
    sender.join();
}

TEST(Link, WhatWasSaidBeforeTheEndIsHeardBeforeIt) {
    const auto [a, b] = ends();
    Link here(a);
    {
        Link there(b);
        there.send({{"last", "word"}});
    }
    EXPECT_EQ(here.receive(), (Json{{"last", "word"}}));
    EXPECT_FALSE(here.receive());
    EXPECT_EQ(here.broken(), "it ended");
    here.send({{"into", "nothing"}});  // and no signal ends us
}

TEST(Link, WhatIsNotUnderstoodBreaksIt) {
    for (const std::string text : {"hello\n", "[1]\n", "{\"a\":\n"}) {
        const auto [a, b] = ends();
        Link here(a);
        ASSERT_EQ(::write(b, text.data(), text.size()), static_cast<ssize_t>(text.size()));
        EXPECT_FALSE(here.receive());
        EXPECT_EQ(here.broken(), "it said what was not understood");
        ::close(b);
    }
}

TEST(Link, ALineWithoutEndBreaksIt) {
    const auto [a, b] = ends();
    Link here(a);
    std::thread babbler([b = b] {
        const std::string some(1 << 20, 'x');
        while (::send(b, some.data(), some.size(), MSG_NOSIGNAL) > 0) {
        }
        ::close(b);
    });
    EXPECT_FALSE(wait_for_message(here));
    EXPECT_EQ(here.broken(), "it said too much at once");
    { const Link gone(std::move(here)); }
    babbler.join();
}

}  // namespace
}  // namespace millrace::bench
