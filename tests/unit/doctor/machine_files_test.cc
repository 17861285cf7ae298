#include "engine/doctor/machine_files.h"

#include "tests/unit/doctor/machine.h"

namespace millrace::test {
namespace {

using doctor::parse_list;
using List = std::vector<unsigned>;
using Names = std::vector<std::string>;

TEST(CpuLists, AreReadAsTheKernelWritesThem) {
    EXPECT_EQ(parse_list("0-3,8\n"), (List{0, 1, 2, 3, 8}));
    EXPECT_EQ(parse_list("5"), List{5});
    EXPECT_EQ(parse_list(""), List{});
    EXPECT_EQ(parse_list("(null)"), List{});
    EXPECT_EQ(parse_list("3-1"), List{});
    EXPECT_LE(parse_list("0-4294967295").size(), 4096u) << "a list is no reason to run out of memory";
}

class MachineFilesTest : public Machine {};

TEST_F(MachineFilesTest, WhatIsThereIsReadAndWhatIsNotIsNot) {
    say("proc/a", "17 \n");
    say("proc/dir/b", "text");
    link("proc/c", "../bus/drivers/virtio_net");
    EXPECT_EQ(files.read("proc/a"), "17");
    EXPECT_EQ(files.number("proc/a"), 17);
    EXPECT_EQ(files.number("proc/dir/b"), std::nullopt);
    EXPECT_EQ(files.read("proc/none"), std::nullopt);
    EXPECT_EQ(files.read("proc/dir"), std::nullopt);
    EXPECT_EQ(files.names("proc"), (Names{"a", "c", "dir"}));
    EXPECT_EQ(files.names("proc/none"), Names{});
    EXPECT_EQ(files.link("proc/c"), "virtio_net");
    EXPECT_EQ(files.link("proc/a"), "");
}

}  // namespace
}  // namespace millrace::test
