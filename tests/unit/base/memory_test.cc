#include "netstack/base/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace millrace {
namespace {

// A machine with 8 MiB available.
class Memory : public testing::Test {
  protected:
    Memory()
        : root_(std::filesystem::temp_directory_path() / ("millrace-memory-" + std::to_string(getpid()))) {
        write("proc/meminfo", "MemTotal:       16384 kB\nMemAvailable:    8192 kB\nBuffers:  1 kB\n");
    }
    ~Memory() override { std::filesystem::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }

    const std::filesystem::path root_;
};

TEST_F(Memory, IsTheMachinesWhereNoGroupHasALimit) {
    EXPECT_EQ(available_memory(root_), 8u << 20);
    write("sys/fs/cgroup/memory.max", "max\n");
    EXPECT_EQ(available_memory(root_), 8u << 20);
}

TEST_F(Memory, IsWhatIsLeftOfTheGroupsLimit) {
    write("sys/fs/cgroup/memory.max", "4000000\n");
    write("sys/fs/cgroup/memory.current", "3000000\n");
    EXPECT_EQ(available_memory(root_), 1'000'000u);
    write("sys/fs/cgroup/memory.stat", "anon 500000\ninactive_file 2500000\n");
    EXPECT_EQ(available_memory(root_), 3'500'000u);
    write("sys/fs/cgroup/memory.current", "7000000\n");  // the limit was lowered
    EXPECT_EQ(available_memory(root_), 0u);
}

TEST_F(Memory, KnowsTheFirstVersionOfGroups) {
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "2000000\n");
    EXPECT_EQ(available_memory(root_), 3'000'000u);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // none
    EXPECT_EQ(available_memory(root_), 8u << 20);
}

TEST_F(Memory, IsWithoutEndWhereNothingIsSaid) {
    EXPECT_GT(available_memory(root_ / "nowhere"), std::uint64_t{1} << 60);
}

}  // namespace
}  // namespace millrace
