#include "engine/client/resolver.h"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::client {
namespace {

net::SocketAddress at(std::string_view text) {
    return *net::parse_socket_address(text);
}

TEST(Interlaced, FamiliesTakeTurns) {  // RFC 8305 section 4
    const Addresses out =
        interlaced({at("[::1]:1"), at("[::2]:1"), at("1.1.1.1:1"), at("[::3]:1"), at("2.2.2.2:1")});
    EXPECT_EQ(out,
              (Addresses{at("[::1]:1"), at("1.1.1.1:1"), at("[::2]:1"), at("2.2.2.2:1"), at("[::3]:1")}));
    EXPECT_EQ(interlaced({at("1.1.1.1:1"), at("[::1]:1")}).front(), at("1.1.1.1:1"));
    EXPECT_TRUE(interlaced({}).empty());
}

TEST(Resolve, AddressesAndFailures) {
    const auto local = resolve("127.0.0.1", 9001);
    ASSERT_TRUE(local);
    EXPECT_EQ(*local, Addresses{at("127.0.0.1:9001")});
    const auto none = resolve("no such name", 80);
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("no such name"), std::string::npos);
}

TEST(Resolver, AnswersFromAnotherThreadOneQuestionAtATime) {
    Resolver resolver;
    for (std::uint16_t port = 1; port < 20; ++port) {
        ASSERT_TRUE(resolver.ask("127.0.0.1", port));
        EXPECT_FALSE(resolver.ask("127.0.0.1", 99));
        Expected<Addresses> answer;
        while (!resolver.poll(answer))
            std::this_thread::yield();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->at(0).port, port);
    }
}

TEST(Resolver, EndsWithoutWaitingForTheAnswer) {
    Resolver resolver;
    resolver.ask("127.0.0.1", 80);
}

}  // namespace
}  // namespace millrace::client
