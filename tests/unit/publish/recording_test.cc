#include "engine/publish/recording.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

namespace millrace::publish {
namespace {

class RecordingFile : public ::testing::Test {
  protected:
    ~RecordingFile() override { ::unlink(path_.c_str()); }

    void write(std::string_view text, bool compressed) {
        const gzFile file = ::gzopen(path_.c_str(), compressed ? "wb" : "wbT");
        ASSERT_EQ(::gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
                  static_cast<int>(text.size()));
        ::gzclose(file);
    }
    std::vector<Item> read(bool whole) {
        auto recording = Recording::open(path_, whole);
        std::vector<Item> items;
        Item item;
        while (recording->next(item) == Next::kItem)
            items.push_back(item);
        passed_over_ = recording->passed_over();
        broken_ = recording->broken();
        return items;
    }

    std::string path_ = ::testing::TempDir() + "recording_test_" + std::to_string(::getpid());
    std::uint64_t passed_over_ = 0;
    bool broken_ = false;
};

constexpr std::string_view kLines =
    "1000000500 {\"stream\":\"e@trade\",\"data\":{\"p\":\"1.0\", \"q\":1.50}}\n"
    "1000000600 {\"lastUpdateId\":1}\n"
    "no time\n"
    "1000002500 {\"stream\":\"e@depth@100ms\",\"data\":[1, 2] }\n"
    "1000002500 {\"stream\":\"no topic\",\"data\":1}\n"
    "1000003500 {\"stream\":\"last\",\"data\":3}";

TEST_F(RecordingFile, HasATopicATimeAndDataToTheByte) {
    for (const bool compressed : {true, false}) {
        write(kLines, compressed);
        const auto items = read(false);
        ASSERT_EQ(items.size(), 3u);
        EXPECT_EQ(items[0].topic, "e@trade");
        EXPECT_EQ(items[0].payload, "{\"p\":\"1.0\", \"q\":1.50}");
        EXPECT_EQ(items[0].due, 0ns);
        EXPECT_EQ(items[1].topic, "e@depth@100ms");
        EXPECT_EQ(items[1].payload, "[1, 2]");
        EXPECT_EQ(items[1].due, 2us);
        EXPECT_EQ(items[2].payload, "3");
        EXPECT_EQ(items[2].content, fanout::Content::kJson);
        EXPECT_EQ(passed_over_, 3u);
        EXPECT_FALSE(broken_);
    }
}

TEST_F(RecordingFile, WholeMessagesAreAsTheyCame) {
    write(kLines, true);
    const auto items = read(true);
    ASSERT_EQ(items.size(), 3u);
    EXPECT_EQ(items[1].payload, "{\"stream\":\"e@depth@100ms\",\"data\":[1, 2] }");
}

TEST_F(RecordingFile, LinesMayBeLong) {
    const std::string payload = '"' + std::string(100'000, 'x') + '"';
    write("5 {\"stream\":\"a\",\"data\":" + payload + "}\n6 {\"stream\":\"b\",\"data\":1}\n", true);
    const auto items = read(false);
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0].payload, payload);
    EXPECT_EQ(items[1].topic, "b");
}

TEST_F(RecordingFile, OneThatIsCutOffIsBroken) {
    std::string lines;
    for (int i = 0; i < 2000; ++i)
        lines +=
            std::to_string(1000 + i * 7919) + " {\"stream\":\"a\",\"data\":" + std::to_string(i * i) + "}\n";
    write(lines, true);
    ASSERT_EQ(read(false).size(), 2000u);
    EXPECT_FALSE(broken_);
    ASSERT_EQ(::truncate(path_.c_str(), 2000), 0);
    EXPECT_LT(read(false).size(), 2000u);
    EXPECT_TRUE(broken_);
}

TEST_F(RecordingFile, OneThatIsNotThereIsSaid) {
    const auto recording = Recording::open(path_ + "-not-there", false);
    ASSERT_FALSE(recording);
    EXPECT_NE(recording.error().message.find("cannot read"), std::string::npos);
}

}  // namespace
}  // namespace millrace::publish
