#include "engine/fanout/publication_ring.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::fanout {
namespace {

Publication publication(const std::string& payload) {
    return {.topic = "md.eth",
            .time_ns = 7,
            .content = Content::kText,
            .key = "last",
            .payload = std::as_bytes(std::span(payload))};
}

std::string text_of(const Publication& p) {
    return {reinterpret_cast<const char*>(p.payload.data()), p.payload.size()};
}

TEST(PublicationRing, HandsOverEveryPartWhateverTheLengthAndWhereverTheRingEnds) {
    PublicationRing ring(1024);
    for (std::size_t n = 0; n < 800; ++n) {
        const std::string payload(n, static_cast<char>('a' + n % 26));
        ASSERT_TRUE(ring.push(publication(payload), n)) << n;
        Publication p;
        std::uint64_t sequence = 0;
        ASSERT_TRUE(ring.pop(p, sequence)) << n;
        EXPECT_EQ(sequence, n);
        EXPECT_EQ(p.topic, "md.eth");
        EXPECT_EQ(p.key, "last");
        EXPECT_EQ(p.time_ns, 7u);
        EXPECT_EQ(p.content, Content::kText);
        EXPECT_EQ(text_of(p), payload);
    }
}

TEST(PublicationRing, TakesAPublicationWholeOrNotAtAll) {
    PublicationRing ring(256);
    const std::string most(256 - 40, 'x');
    ASSERT_TRUE(ring.push(publication("short"), 1));
    EXPECT_FALSE(ring.push(publication(most), 2));
    Publication p;
    std::uint64_t sequence = 0;
    ASSERT_TRUE(ring.pop(p, sequence));
    EXPECT_EQ(text_of(p), "short");
    EXPECT_FALSE(ring.pop(p, sequence)) << "a part of what was not taken";
    EXPECT_TRUE(ring.push(publication(most), 2));
    EXPECT_TRUE(ring.crowded());
}

}  // namespace
}  // namespace millrace::fanout
