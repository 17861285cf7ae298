// When a host says which groups it listens to: RFC 3810 section 6 and section 8, RFC 2710 section 4.

#include "netstack/ip/group_membership.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::net {
namespace {

const IpAddress kOne{0xff02000000000000, 0x1ff000001}, kTwo{0xff02000000000000, 0x1ff000002};
const IpAddress kStrange{0xff02000000000000, 0x1ff000009};

class GroupMembershipTest : public ::testing::Test {
  protected:
    struct Said {
        MldRecordType type;
        IpAddress group;
        Time at;
        bool version1;
    };
    // All that is said until `until`, each at its time.
    std::vector<Said> run(Time until) {
        std::vector<Said> said;
        while (groups.next_timer() <= until) {
            now = std::max(now, groups.next_timer());
            groups.run_timers(now);
            for (const MldRecord& record : groups.to_send())
                said.push_back({record.type, record.group, now, groups.version1()});
            groups.clear();
        }
        now = until;
        return said;
    }
    void join_quietly() {
        groups.join(kOne);
        groups.join(kTwo);
        run(now + 10s);
    }
    static MldQuery general(Duration within) { return {.group = {}, .max_response = within}; }
    static MldQuery about(const IpAddress& group, Duration within) {
        return {.group = group, .max_response = within};
    }
    static MldQuery of_version1(MldQuery query) {
        query.version1 = true;
        return query;
    }

    GroupMembership groups{7};
    Time now = Time{} + 1h;
};

// Sections 6.1 and 9.11: Robustness Variable reports, the first at once, the second within a second.
TEST_F(GroupMembershipTest, AJoinIsReportedTwice) {
    const Time start = now;
    groups.join(kOne);
    const auto said = run(now + 1h);
    ASSERT_EQ(said.size(), 2u);
    for (const Said& s : said) {
        EXPECT_EQ(s.type, MldRecordType::kToExclude);
        EXPECT_EQ(s.group, kOne);
        EXPECT_FALSE(s.version1);
    }
    EXPECT_EQ(said[0].at, start);
    EXPECT_GT(said[1].at, start);
    EXPECT_LE(said[1].at, start + 1s);
    EXPECT_EQ(groups.next_timer(), kNever);
}

TEST_F(GroupMembershipTest, TwoAddressesOfOneGroupJoinItOnce) {  // RFC 4291 section 2.7.1
    groups.join(kOne);
    groups.join(kOne);
    EXPECT_EQ(groups.size(), 1u);
}

TEST_F(GroupMembershipTest, JoinsAreBounded) {
    for (std::uint64_t i = 0; i < 2 * GroupMembership::kMostGroups; ++i)
        groups.join({0xff02000000000000, 0x1ff000000 + i});
    EXPECT_EQ(groups.size(), GroupMembership::kMostGroups);
    EXPECT_EQ(groups.counters().groups_full.value(), GroupMembership::kMostGroups);
    EXPECT_EQ(run(now).size(), GroupMembership::kMostGroups);
}

// Section 6.2: one report of all groups, within the Maximum Response Delay.
TEST_F(GroupMembershipTest, AGeneralQueryIsAnsweredWithAllGroupsAtOnce) {
    join_quietly();
    const Time asked = now;
    groups.query_arrives(general(10s), now);
    const auto said = run(now + 1h);
    ASSERT_EQ(said.size(), 2u);
    EXPECT_EQ(said[0].at, said[1].at);
    EXPECT_GE(said[0].at, asked);
    EXPECT_LE(said[0].at, asked + 10s);
    EXPECT_EQ(said[0].type, MldRecordType::kIsExclude);
    EXPECT_EQ(said[0].group, kOne);
    EXPECT_EQ(said[1].group, kTwo);
    EXPECT_EQ(groups.counters().queries.value(), 1u);
}

// Or all hosts of a link would answer at once.
TEST_F(GroupMembershipTest, AnswersAreSpreadOverTheWholeDelay) {
    join_quietly();
    int early = 0, late = 0;
    for (int i = 0; i < 200; ++i) {
        const Time asked = now;
        groups.query_arrives(general(10s), now);
        const auto said = run(now + 20s);
        ASSERT_EQ(said.size(), 2u);
        ++(said[0].at - asked < 5s ? early : late);
    }
    EXPECT_GT(early, 60);
    EXPECT_GT(late, 60);
}

TEST_F(GroupMembershipTest, AQueryAboutAGroupIsAnsweredForItAlone) {  // section 6.2, rule 3
    join_quietly();
    const Time asked = now;
    groups.query_arrives(about(kTwo, 1s), now);
    const auto said = run(now + 1h);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].group, kTwo);
    EXPECT_EQ(said[0].type, MldRecordType::kIsExclude);
    EXPECT_LE(said[0].at, asked + 1s);
}

TEST_F(GroupMembershipTest, AQueryAboutAStrangeGroupIsNotAnswered) {
    join_quietly();
    groups.query_arrives(about(kStrange, 1s), now);
    EXPECT_EQ(groups.next_timer(), kNever);
}

TEST_F(GroupMembershipTest, AMaximumDelayOfZeroMeansAtOnce) {  // section 5.1.3
    join_quietly();
    groups.query_arrives(about(kTwo, 0s), now);
    EXPECT_EQ(groups.next_timer(), now);
}

TEST_F(GroupMembershipTest, QueriesThatRepeatAreAnsweredOnce) {  // section 6.2, rules 1, 2 and 4
    join_quietly();
    const Time asked = now;
    for (int i = 0; i < 100; ++i)
        groups.query_arrives(about(kTwo, 10s), now);
    groups.query_arrives(about(kTwo, 1ms), now);
    const auto said = run(now + 1h);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_LE(said[0].at, asked + 1ms) << "the earliest";
    for (int i = 0; i < 100; ++i)
        groups.query_arrives(general(10s), now);
    EXPECT_EQ(run(now + 1h).size(), 2u);
}

TEST_F(GroupMembershipTest, AnAnswerAboutAllThatComesSoonerIsEnough) {  // section 6.2, rule 1
    join_quietly();
    groups.query_arrives(general(0s), now);
    groups.query_arrives(about(kTwo, 10s), now);
    EXPECT_EQ(run(now + 1h).size(), 2u) << "each group once";
}

TEST_F(GroupMembershipTest, TheQuerierSaysHowOftenAJoinIsReported) {  // section 9.1
    MldQuery query = general(0s);
    query.robustness = 3;
    groups.query_arrives(query, now);
    run(now);
    groups.join(kOne);
    EXPECT_EQ(run(now + 1h).size(), 3u);
    query.robustness = 0;
    groups.query_arrives(query, now);
    run(now);
    groups.join(kTwo);
    EXPECT_EQ(run(now + 1h).size(), 3u) << "zero says nothing";
}

TEST_F(GroupMembershipTest, AllIsReportedAgainWhenThereIsASourceAddress) {  // RFC 3590 section 4
    join_quietly();
    groups.report_again(now);
    const auto said = run(now + 1h);
    ASSERT_EQ(said.size(), 4u);
    EXPECT_EQ(said[0].type, MldRecordType::kToExclude);
}

// --- a querier of version 1: section 8.2.1, and RFC 2710 section 4 ---

TEST_F(GroupMembershipTest, AQuerierOfVersion1IsAnsweredInItsWords) {
    join_quietly();
    const Time asked = now;
    groups.query_arrives(of_version1(general(10s)), now);
    EXPECT_TRUE(groups.version1());
    const auto said = run(now + 20s);
    ASSERT_EQ(said.size(), 2u);
    for (const Said& s : said) {
        EXPECT_TRUE(s.version1);
        EXPECT_LE(s.at, asked + 10s);
    }
    EXPECT_NE(said[0].at, said[1].at) << "a delay for each group";
    groups.query_arrives(of_version1(about(kTwo, 1s)), now);
    EXPECT_EQ(run(now + 20s).size(), 1u);
}

TEST_F(GroupMembershipTest, AnothersReportOfVersion1SavesOurs) {
    join_quietly();
    groups.query_arrives(of_version1(general(10s)), now);
    groups.report_arrives(kTwo);
    groups.report_arrives(kStrange);
    const auto said = run(now + 20s);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].group, kOne);
    EXPECT_EQ(groups.counters().other_reports.value(), 2u);
}

TEST_F(GroupMembershipTest, OfVersion2NoHostSpeaksForAnother) {  // section 8.2.2
    join_quietly();
    groups.query_arrives(about(kTwo, 10s), now);
    groups.report_arrives(kTwo);
    EXPECT_EQ(run(now + 20s).size(), 1u);
}

// Section 9.12: robustness times the query interval, and the query's response delay.
TEST_F(GroupMembershipTest, Version1IsForgottenWhenNobodySpeaksItAnyMore) {
    join_quietly();
    groups.query_arrives(of_version1(general(10s)), now);
    run(now + 200s);
    groups.query_arrives(of_version1(general(10s)), now);
    const Time last = now;
    groups.query_arrives(general(1s), now + 1s);
    run(last + 259s);
    EXPECT_TRUE(groups.version1());
    run(last + 260s);
    EXPECT_FALSE(groups.version1());
    groups.query_arrives(general(1s), now);
    const auto said = run(now + 20s);
    ASSERT_EQ(said.size(), 2u);
    EXPECT_FALSE(said[0].version1);
}

TEST_F(GroupMembershipTest, AChangeOfVersionEndsWhatIsPending) {  // section 8.2.1
    join_quietly();
    groups.query_arrives(about(kOne, 10s), now);
    groups.query_arrives(of_version1(about(kTwo, 10s)), now);
    const auto said = run(now + 20s);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].group, kTwo);
}

}  // namespace
}  // namespace millrace::net
