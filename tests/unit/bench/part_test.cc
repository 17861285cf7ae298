// How several processes of a machine share a load's CPUs and source addresses.

#include "bench/load/part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "netstack/eal/eal.h"

namespace millrace::bench {
namespace {

using testing::ElementsAre;

net::IpAddress ip(const char* text) {
    return *net::parse_ip(text);
}

LoadOptions options_on(std::vector<unsigned> cores) {
    LoadOptions options;
    options.cores = std::move(cores);
    options.cores_given = true;
    return options;
}

TEST(Part, OneProcessHasAll) {
    const LoadOptions part = part_of(options_on({0, 1}), {0, 1});
    EXPECT_THAT(part.cores, ElementsAre(0, 1));
    EXPECT_EQ(part.processes_here, 1u);
}

TEST(Part, CoresAreSharedOut) {
    const LoadOptions all = options_on({0, 1, 2, 5, 7});
    EXPECT_THAT(part_of(all, {0, 2}).cores, ElementsAre(0, 2, 7));
    EXPECT_THAT(part_of(all, {1, 2}).cores, ElementsAre(1, 5));
}

TEST(Part, MoreProcessesThanCoresTakeTurns) {
    const LoadOptions all = options_on({3, 4});
    EXPECT_THAT(part_of(all, {2, 4}).cores, ElementsAre(3));
    EXPECT_THAT(part_of(all, {3, 4}).cores, ElementsAre(4));
}

TEST(Part, WithoutCoresOfItsOwnAProcessTakesItsShareOfAllThatAreAllowed) {
    LoadOptions all = options_on({0});
    all.cores_given = false;
    std::vector<unsigned> taken;
    const auto of = static_cast<unsigned>(net::allowed_cpus().size());
    for (unsigned i = 0; i < of; ++i)
        for (const unsigned core : part_of(all, {i, of}).cores)
            taken.push_back(core);
    EXPECT_EQ(taken, net::allowed_cpus());
}

TEST(Part, SourceAddressesAreSharedOutWithNoneLeftAndNoneTwice) {
    LoadOptions all = options_on({0});
    all.first_source = ip("127.0.0.250");
    all.last_source = ip("127.0.1.3");  // ten of them
    net::IpAddress next = all.first_source;
    for (unsigned i = 0; i < 4; ++i) {
        const LoadOptions part = part_of(all, {i, 4});
        EXPECT_EQ(part.first_source, next);
        EXPECT_GE(part.sources(), 2u);
        EXPECT_LE(part.sources(), 3u);
        EXPECT_EQ(part.processes_on_sources, 1u);
        next = part.last_source.plus(1);
    }
    EXPECT_EQ(next, all.last_source.plus(1));
}

TEST(Part, FewerSourceAddressesThanProcessesAreEverybodys) {
    LoadOptions all = options_on({0});
    all.first_source = ip("fd00::1");
    all.last_source = ip("fd00::2");
    const LoadOptions part = part_of(all, {2, 3});
    EXPECT_EQ(part.first_source, all.first_source);
    EXPECT_EQ(part.last_source, all.last_source);
    EXPECT_EQ(part.processes_on_sources, 3u);
}

}  // namespace
}  // namespace millrace::bench
