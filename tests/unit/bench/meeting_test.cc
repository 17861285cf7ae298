// How the ranks of a run meet.

#include "bench/mpi/meeting.h"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::bench {
namespace {

using Json = nlohmann::json;

Json wait_for_message(Link& link) {
    for (;;) {
        if (auto message = link.receive()) return *message;
        if (!link.broken().empty()) return nullptr;
        std::this_thread::yield();
    }
}

TEST(Meeting, RanksComeInAnyOrderAndTheUninvitedAreLeftOut) {
    auto meeting = Meeting::open();
    ASSERT_TRUE(meeting);
    Json forged = Json::parse(meeting->invitation());
    forged["token"] = "0123";
    std::thread others([&, invitation = meeting->invitation()] {
        EXPECT_FALSE(come_to(forged.dump(), 1));
        for (const unsigned rank : {2u, 1u}) {
            auto link = come_to(invitation, rank);
            ASSERT_TRUE(link);
            link->send({{"I am", rank}});
        }
    });
    auto companions = meeting->await(3);
    others.join();
    ASSERT_TRUE(companions);
    ASSERT_EQ(companions->size(), 2u);
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ((*companions)[i].name, i == 0 ? "rank 1 of 3" : "rank 2 of 3");
        EXPECT_EQ(wait_for_message((*companions)[i].link), (Json{{"I am", i + 1}}));
    }
}

TEST(Meeting, AnInvitationToNobodyIsAnError) {
    auto meeting = Meeting::open();
    ASSERT_TRUE(meeting);
    const std::string invitation = meeting->invitation();
    { const Meeting over = std::move(*meeting); }
    EXPECT_FALSE(come_to(invitation, 1));
    EXPECT_FALSE(come_to("nonsense", 1));
}

}  // namespace
}  // namespace millrace::bench
