#include "netstack/uring/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "netstack/uring/buffer_ring.h"

namespace millrace::net::uring {
namespace {

using ::testing::HasSubstr;

TEST(UringRing, SaysWhyThereIsNoneAndWhatToDo) {
    EXPECT_THAT(explain_setup_failure(EPERM).message, HasSubstr("kernel.io_uring_disabled"));
    EXPECT_THAT(explain_setup_failure(ENOSYS).message, HasSubstr("--net dpdk"));
    EXPECT_THAT(explain_setup_failure(ENOMEM).message, HasSubstr("ulimit -l"));
    EXPECT_THAT(explain_setup_failure(EMFILE).message, HasSubstr("ulimit -n"));
}

TEST(UringBufferRing, RefusesWhatTheKernelWould) {
    Ring ring;
    ASSERT_TRUE(ring.open(8));
    EXPECT_FALSE(BufferRing().open(ring, 3, 8, 512));
    EXPECT_FALSE(BufferRing().open(ring, 8, 4, 512));
    EXPECT_FALSE(BufferRing().open(ring, 8, 65535, 512));
    EXPECT_TRUE(BufferRing().open(ring, 8, 8, 512));
}

TEST(UringBufferRing, MoreBuffersThanEntriesTakeMemoryAsTheyAreUsed) {
    Ring ring;
    ASSERT_TRUE(ring.open(8));
    BufferRing buffers;
    ASSERT_TRUE(buffers.open(ring, 8, 60'000, 8192));
    EXPECT_EQ(buffers.available(), 8u);
    EXPECT_LT(buffers.memory_in_use(), 1u << 20);
    // The kernel's part is played here: it fills three, two are kept.
    for (BufferId id : {0, 1, 2})
        buffers.taken(id, 100);
    EXPECT_EQ(buffers.available(), 5u);
    Bytes kept(buffers, 0);
    Bytes moved = std::move(kept);
    EXPECT_EQ(kept.bytes().size(), 0u);
    EXPECT_EQ(moved.bytes().size(), 100u);
    buffers.refill();
    EXPECT_EQ(buffers.available(), 8u) << "spares take the place of what is kept";
}

}  // namespace
}  // namespace millrace::net::uring
