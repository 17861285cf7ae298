// Long messages, many fragments, small pieces and many messages in a row (what Autobahn's families 9 and 10
// have): every byte comes back, over both carriers and in both roles.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/conformance/pairs.h"
#include "tests/unit/conformance/stages.h"
#include "tests/unit/conformance/talk.h"

namespace millrace::conformance {
namespace {

using ws::Role;

// What is checked is not how fast the sanitizers are.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kMega = 64 << 10;
constexpr int kMany = 50;
#else
constexpr std::size_t kMega = 1 << 20;
constexpr int kMany = 1000;
#endif

struct Case {
    const char* family;
    std::size_t bytes;            // of a message
    std::size_t fragment = 0;     // of a frame; 0: the message is one
    std::size_t piece = 1 << 16;  // of what is sent at a time
    int messages = 1;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::size_t bytes : {kMega / 16, kMega / 4, kMega, 4 * kMega, 8 * kMega, 16 * kMega})
        all.push_back({"OneFrame", bytes});
    for (std::size_t fragment = 64; fragment <= 4 * kMega; fragment *= 4)
        all.push_back({"Fragments", 4 * kMega, fragment});
    for (const std::size_t piece : {64, 128, 256, 512, 1024, 2048})
        all.push_back({"Pieces", kMega, 0, piece});
    for (const std::size_t bytes : {0, 16, 64, 256, 1024, 4096})
        all.push_back({"Messages", bytes, 0, 1 << 16, kMany});
    return all;
}

// UTF-8 of more than one octet a character, which fragments cut.
std::string payload_of(std::size_t bytes) {
    const std::string unit = "\xCE\xBA\xE2\x82\xAC\xF0\x9F\x98\x80-";
    std::string text;
    while (text.size() + unit.size() <= bytes)
        text += unit;
    return text.append(bytes - text.size(), '.');
}

class Long : public ::testing::TestWithParam<std::tuple<Role, unsigned, Case>> {
  public:
    static EndpointConfig config() { return {.max_message = 16 * kMega}; }
    static ClientTarget target() { return {.host = "server", .path = "/echo"}; }

  protected:
    static void TearDownTestSuite() {
        Stages<Long>::close<UringPair, DpdkPair, SecureUringPair, SecureDpdkPair>();
    }

    template <class Pair>
    void play() {
        const auto& [role, opcode, c] = GetParam();
        auto& stage = Stages<Long>::get<Pair>(role);
        ASSERT_TRUE(open_websocket(stage, role));
        const std::string payload = payload_of(c.bytes);
        const std::string once = bytes_of(fragments(opcode, payload, c.fragment), role);
        const std::size_t answer = payload.size() + ws::header_size(payload.size(), role == Role::kClient);
        for (int i = 0; i < c.messages; ++i)
            ASSERT_TRUE(stage.send(once, c.piece)) << i;
        const auto whole = static_cast<std::size_t>(c.messages) * answer;
        ASSERT_TRUE(stage.until([&] { return stage.received().size() >= whole; }));
        ASSERT_EQ(stage.received().size(), whole);
        const ws::test::Events got = events_of(stage, role);
        const std::string expected = (opcode == 1 ? "text(" : "binary(") + payload + ")";
        ASSERT_EQ(got.size(), static_cast<std::size_t>(c.messages));
        for (const std::string& event : got)
            ASSERT_TRUE(event == expected);
        stage.close();
    }
};

TEST_P(Long, OverUring) {
    play<UringPair>();
}

TEST_P(Long, OverDpdk) {
    play<DpdkPair>();
}

TEST_P(Long, OverUringWithTls) {
    play<SecureUringPair>();
}

TEST_P(Long, OverDpdkWithTls) {
    play<SecureDpdkPair>();
}

std::string name_of(const ::testing::TestParamInfo<Long::ParamType>& info) {
    const auto& [role, opcode, c] = info.param;
    return std::string(role == Role::kServer ? "Server_" : "Client_") + (opcode == 1 ? "Text_" : "Binary_") +
           c.family + "_" + std::to_string(c.bytes) + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Long,
                         ::testing::Combine(::testing::Values(Role::kServer, Role::kClient),
                                            ::testing::Values(1u, 2u), ::testing::ValuesIn(cases())),
                         name_of);

}  // namespace
}  // namespace millrace::conformance
