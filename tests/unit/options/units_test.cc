#include "engine/options/units.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Units, CountsAreRead) {
    EXPECT_EQ(parse_count("0"), 0u);
    EXPECT_EQ(parse_count("2500"), 2500u);
    EXPECT_EQ(parse_count("10k"), 10'000u);
    EXPECT_EQ(parse_count("10K"), 10'000u);
    EXPECT_EQ(parse_count("1m"), 1'000'000u);
    EXPECT_EQ(parse_count("1.25M"), 1'250'000u);
    EXPECT_EQ(parse_count("0.5k"), 500u);
    EXPECT_EQ(parse_count("1.000"), 1u);
    EXPECT_EQ(parse_count("2g"), 2'000'000'000u);
    EXPECT_EQ(parse_count("18446744073709551615"), 18446744073709551615u);
}

TEST(Units, CountsRefuseWhatIsNotExactlyOne) {
    for (const char* text : {"",
                             " ",
                             "k",
                             "-1",
                             "+1",
                             " 1",
                             "1 ",
                             "1 k",
                             "1kk",
                             "1e6",
                             "0x10",
                             "1.",
                             ".5",
                             "1.5",
                             "1.2345k",
                             "1,000",
                             "ten",
                             "10q",
                             "18446744073709551616",
                             "18446744073709551615k",
                             "99999999999999999999999",
                             "1.0000000000000000001"})
        EXPECT_FALSE(parse_count(text)) << text;
}

TEST(Units, DurationsAreRead) {
    EXPECT_EQ(parse_duration("0"), Duration{0});
    EXPECT_EQ(parse_duration("0s"), Duration{0});
    EXPECT_EQ(parse_duration("750ns"), 750ns);
    EXPECT_EQ(parse_duration("200us"), 200us);
    EXPECT_EQ(parse_duration("200\u00b5s"), 200us);
    EXPECT_EQ(parse_duration("200\u03bcs"), 200us);
    EXPECT_EQ(parse_duration("5ms"), 5ms);
    EXPECT_EQ(parse_duration("1.5s"), 1500ms);
    EXPECT_EQ(parse_duration("1.000000001s"), 1'000'000'001ns);
    EXPECT_EQ(parse_duration("1m"), 60s);
    EXPECT_EQ(parse_duration("2min"), 120s);
    EXPECT_EQ(parse_duration("0.25h"), 15min);
    EXPECT_EQ(parse_duration("9223372036854775807ns"), Duration::max());
}

TEST(Units, DurationsRefuseWhatIsNotExactlyOne) {
    for (const char* text :
         {"", "1", "00.0", "s", "-1s", "1 s", "1S", "1MS", "1sec", "0.5ns", "1.0000000001s",
          "9223372036854775808ns", "10000000000s", "3000000h", "1s2ms", "1\u00b5", "inf"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Units, BytesAreRead) {
    EXPECT_EQ(parse_bytes("0"), 0u);
    EXPECT_EQ(parse_bytes("4096"), 4096u);
    EXPECT_EQ(parse_bytes("4096B"), 4096u);
    EXPECT_EQ(parse_bytes("4KiB"), 4096u);
    EXPECT_EQ(parse_bytes("4kib"), 4096u);
    EXPECT_EQ(parse_bytes("64k"), 65536u);
    EXPECT_EQ(parse_bytes("64kB"), 64000u);
    EXPECT_EQ(parse_bytes("1MiB"), 1048576u);
    EXPECT_EQ(parse_bytes("1m"), 1048576u);
    EXPECT_EQ(parse_bytes("1MB"), 1000000u);
    EXPECT_EQ(parse_bytes("1.5GiB"), 1610612736u);
    EXPECT_EQ(parse_bytes("0.001kB"), 1u);
    EXPECT_EQ(parse_bytes("16777215TiB"), 16777215u * (std::uint64_t{1} << 40));
}

TEST(Units, BytesRefuseWhatIsNotExactlyOne) {
    for (const char* text :
         {"", "B", "-4KiB", "4 KiB", "4Ki", "4KiBs", "0.1KiB", "1.5", "16777216TiB", "1e3"})
        EXPECT_FALSE(parse_bytes(text)) << text;
}

TEST(Units, AnErrorIsOneSentenceThatShowsTheWay) {
    EXPECT_EQ(parse_count("ten").error().message, "'ten' is not a count: write it as 2500, 10k or 1m");
    EXPECT_EQ(parse_duration("5").error().message,
              "'5' is not a duration (its unit is missing): write it as 200us, 1.5s or 1m");
    EXPECT_EQ(parse_bytes("16777216TiB").error().message,
              "'16777216TiB' is not a size in bytes (it is too large): write it as 4096, 4KiB or 1MiB");
    EXPECT_EQ(parse_duration("0.5ns").error().message,
              "'0.5ns' is not a duration (it is finer than one nanosecond): write it as 200us, 1.5s or 1m");
}

TEST(Units, CountsForPeople) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(0.5), "0.5");
    EXPECT_EQ(format_count(1000), "1k");
    EXPECT_EQ(format_count(10'000), "10k");
    EXPECT_EQ(format_count(1'250'000), "1.25M");
    EXPECT_EQ(format_count(123'456'789), "123M");
    EXPECT_EQ(format_count(999'999), "1M");
    EXPECT_EQ(format_count(2.5e12), "2500G");
}

TEST(Units, DurationsForPeople) {
    EXPECT_EQ(format_duration(0ns), "0 ns");
    EXPECT_EQ(format_duration(85ns), "85 ns");
    EXPECT_EQ(format_duration(610ns), "0.61 \u00b5s");
    EXPECT_EQ(format_duration(1234ns), "1.23 \u00b5s");
    EXPECT_EQ(format_duration(12'345us), "12.3 ms");
    EXPECT_EQ(format_duration(999'990ns), "1 ms");
    EXPECT_EQ(format_duration(1500ms), "1.5 s");
    EXPECT_EQ(format_duration(59s), "59 s");
    EXPECT_EQ(format_duration(59'999ms), "1 min");
    EXPECT_EQ(format_duration(125s), "2 min 5 s");
    EXPECT_EQ(format_duration(90min), "1 h 30 min");
    EXPECT_EQ(format_duration(3599'999ms), "1 h");
    EXPECT_EQ(format_duration(-5ms), "-5 ms");
}

TEST(Units, BytesForPeople) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1000), "1000 B");
    EXPECT_EQ(format_bytes(16384), "16 KiB");
    EXPECT_EQ(format_bytes(1.5 * 1048576), "1.5 MiB");
    EXPECT_EQ(format_bytes(1048575), "1 MiB");
    EXPECT_EQ(format_bytes(24.0 * (1u << 30)), "24 GiB");
}

}  // namespace
}  // namespace millrace
