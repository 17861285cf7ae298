// RFC 7692 on whole endpoints, over both carriers and in both roles: every parameter that can be agreed, each
// with messages of many sizes, whole and in fragments, that shrink and that do not (what Autobahn's families
// 12 and 13 have). The peer is zlib with exactly the windows and the memory that were agreed.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/conformance/pairs.h"
#include "tests/unit/conformance/stages.h"
#include "tests/unit/conformance/talk.h"
#include "tests/unit/conformance/zlib_peer.h"

namespace millrace::conformance {
namespace {

using ws::Role;

struct Agreement {
    std::string peers;      // parameters of the peer's offer or, as a server, of its answer
    std::string endpoints;  // of the endpoint's answer; as a client it offers them all alike
    ZlibPeer::Way server, client;
};

const std::string kServerNone = "; server_no_context_takeover";
const std::string kClientNone = "; client_no_context_takeover";

std::string server_bits(int bits) {
    return "; server_max_window_bits=" + std::to_string(bits);
}
std::string client_bits(int bits) {
    return "; client_max_window_bits=" + std::to_string(bits);
}

std::vector<Agreement> offers() {
    std::vector<Agreement> all{
        {"", "", {}, {}},
        {"; client_max_window_bits", "", {}, {}},
        {kServerNone, kServerNone, {15, false}, {}},
        {kClientNone, kClientNone, {}, {15, false}},
        {kClientNone + kServerNone, kServerNone + kClientNone, {15, false}, {15, false}},
        {kServerNone + server_bits(9), kServerNone + server_bits(9), {9, false}, {}},
        {kClientNone + client_bits(9), kClientNone + client_bits(9), {}, {9, false}},
        {server_bits(10) + client_bits(11), server_bits(10) + client_bits(11), {10}, {11}},
        // The first that can be taken.
        {"; unknown, permessage-deflate" + server_bits(12), server_bits(12), {12}, {}},
        {server_bits(16) + ", permessage-deflate" + kServerNone + ", permessage-deflate",
         kServerNone,
         {15, false},
         {}},
    };
    for (int bits = 8; bits <= 15; ++bits)
        all.push_back({server_bits(bits), server_bits(bits), {bits}, {}});
    for (int bits = 9; bits <= 15; ++bits)
        all.push_back({client_bits(bits), bits < 15 ? client_bits(bits) : "", {}, {bits}});
    return all;
}

std::vector<Agreement> answers() {
    std::vector<Agreement> all{
        {"", "", {}, {}},
        {kServerNone, "", {15, false}, {}},
        {kClientNone, "", {}, {15, false}},
        {kServerNone + kClientNone, "", {15, false}, {15, false}},
        {kServerNone + server_bits(9) + kClientNone + client_bits(9), "", {9, false}, {9, false}},
    };
    for (int bits = 9; bits <= 15; ++bits) {
        all.push_back({server_bits(bits), "", {bits}, {}});
        all.push_back({client_bits(bits), "", {}, {bits}});
    }
    all.push_back({client_bits(8) + kClientNone, "", {}, {8, false}});
    return all;
}

// What is checked is not how fast the sanitizers are.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kLongest = 8192;
#else
constexpr std::size_t kLongest = 131072;
#endif

struct Case {
    Role role;
    Agreement agreed;
    std::size_t bytes;
    std::size_t fragment;  // 0: one frame
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const Role role : {Role::kServer, Role::kClient})
        for (const Agreement& agreed : role == Role::kServer ? offers() : answers())
            for (const auto& [bytes, fragment] :
                 std::vector<std::pair<std::size_t, std::size_t>>{{0, 0},
                                                                  {1, 0},
                                                                  {16, 0},
                                                                  {64, 0},
                                                                  {256, 0},
                                                                  {1024, 0},
                                                                  {4096, 0},
                                                                  {8192, 0},
                                                                  {16384, 0},
                                                                  {32768, 0},
                                                                  {65536, 0},
                                                                  {131072, 0},
                                                                  {256, 7},
                                                                  {8192, 256},
                                                                  {16384, 1024},
                                                                  {131072, 4096}})
                if (bytes <= kLongest) all.push_back({role, agreed, bytes, fragment});
    return all;
}

std::string ticks(std::size_t size, std::mt19937& random) {
    std::string text;
    while (text.size() < size)
        text += R"({"price":)" + std::to_string(random() % 1000) + R"(,"side":"bid"})";
    text.resize(size);
    return text;
}

std::string noise(std::size_t size, std::mt19937& random) {
    std::string octets(size, ' ');
    for (char& c : octets)
        c = static_cast<char>(random());
    return octets;
}

class Deflate : public ::testing::TestWithParam<Case> {
  public:
    static EndpointConfig config() {
        EndpointConfig config;
        config.upgrade.deflate = {.enabled = true, .takeover = true};
        return config;
    }
    static ClientTarget target() {
        return {.host = "server", .path = "/echo", .deflate = {.enabled = true, .takeover = true}};
    }

  protected:
    static void TearDownTestSuite() { Stages<Deflate>::close<UringPair, DpdkPair, SecureUringPair>(); }

    template <class Pair>
    void play() {
        const Case& c = GetParam();
        const bool server = c.role == Role::kServer;
        auto& stage = Stages<Deflate>::get<Pair>(c.role);
        std::string head;
        ASSERT_TRUE(open_websocket(stage, c.role,
                                   "Sec-WebSocket-Extensions: permessage-deflate" + c.agreed.peers + "\r\n",
                                   0, &head));
        ASSERT_EQ(field_of(head, "Sec-WebSocket-Extensions"),
                  "permessage-deflate" + (server ? c.agreed.endpoints : "; client_max_window_bits"));

        const ZlibPeer::Way endpoints = server ? c.agreed.server : c.agreed.client;
        ZlibPeer peer(server ? c.agreed.client : c.agreed.server, endpoints);
        std::mt19937 random(static_cast<unsigned>(c.bytes));
        for (int i = 0; i < 2; ++i) {
            SCOPED_TRACE(i);
            exchange(stage, peer, 1, ticks(c.bytes, random), c.bytes >= 256);
            exchange(stage, peer, 2, noise(c.bytes, random), false);
            if (HasFatalFailure()) return;
        }
        stage.close();
    }

    // One message there, compressed, and back.
    template <class Stage>
    void exchange(Stage& stage, ZlibPeer& peer, unsigned opcode, const std::string& message, bool shrinks) {
        const Case& c = GetParam();
        stage.send(bytes_of(fragments(opcode, peer.compress(message), c.fragment, 0x40), c.role));
        ASSERT_TRUE(until_events(stage, c.role, 1, true));
        std::string answer = events_of(stage, c.role, true)[0];
        const bool compressed = answer.starts_with("deflated ");
        if (compressed) answer.erase(0, 9);
        EXPECT_TRUE(compressed || !shrinks);
        ASSERT_TRUE(answer.starts_with(opcode == 1 ? "text(" : "binary("));
        const std::size_t from = answer.find('(') + 1;
        const std::string payload = answer.substr(from, answer.size() - from - 1);
        ASSERT_TRUE((compressed ? peer.decompress(payload) : payload) == message);
        EXPECT_LE(payload.size(), message.size());
        stage.forget();
    }
};

TEST_P(Deflate, OverUring) {
    play<UringPair>();
}

TEST_P(Deflate, OverDpdk) {
    play<DpdkPair>();
}

// To compression all octets are alike: once is enough.
TEST_P(Deflate, OverUringWithTls) {
    play<SecureUringPair>();
}

INSTANTIATE_TEST_SUITE_P(Rfc7692_7_1, Deflate, ::testing::ValuesIn(cases()), [](const auto& tested) {
    const Case& c = tested.param;
    std::string name = std::string(c.role == Role::kServer ? "Server" : "Client") + c.agreed.peers + "_" +
                       std::to_string(c.bytes) + "_" + std::to_string(tested.index);
    for (char& letter : name)
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    return name;
});

}  // namespace
}  // namespace millrace::conformance
