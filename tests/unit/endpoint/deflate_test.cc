// RFC 7692 through whole endpoints: what is agreed, what arrives, and what a peer cannot do.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace {
namespace {

using test::as_bytes;
using test::MemoryCarrier;
using ws::CloseCode;
using ws::Opcode;

constexpr const char* kOffer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

class DeflateTest : public test::EndpointPair {
  protected:
    static EndpointConfig config(ws::DeflatePolicy policy) {
        EndpointConfig config{.max_message = 200'000};
        config.upgrade.deflate = policy;
        return config;
    }
    void start_both(ws::DeflatePolicy of_server, ws::DeflatePolicy of_client) {
        start(config(of_server), config({}));
        target = client->add_target<test::Listener>(
            {.host = "server:9001", .path = "/echo", .deflate = of_client});
    }
    std::string ticks(std::size_t size) {
        std::string text;
        while (text.size() < size)
            text += R"({"price":)" + std::to_string(random() % 1000) + R"(,"side":"bid"})";
        text.resize(size);
        return text;
    }
    std::string noise(std::size_t size) {
        std::string text(size, ' ');
        for (char& c : text)
            c = static_cast<char>(' ' + random() % 90);
        return text;
    }
    // A compressed message of "Hello", of section 7.2.3.1.
    const std::string hello{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7};

    std::mt19937 random{3};
};

TEST_F(DeflateTest, EchoesEverySizeUnderEveryAgreement) {
    for (const ws::DeflatePolicy of_server :
         {ws::DeflatePolicy{true, false, 15}, ws::DeflatePolicy{true, true, 15},
          ws::DeflatePolicy{true, true, 9}})
        for (const ws::DeflatePolicy of_client :
             {ws::DeflatePolicy{}, ws::DeflatePolicy{true, false, 12}, ws::DeflatePolicy{true, true, 15}})
            for (const std::size_t piece : {7u, 1448u, 65536u}) {
                SCOPED_TRACE(::testing::Message() << of_server.takeover << int{of_server.window_bits}
                                                  << of_client.enabled << of_client.takeover << " " << piece);
                server_side = MemoryCarrier();
                client_side = MemoryCarrier();
                heard = served = {};
                start_both(of_server, of_client);
                server_side.piece = client_side.piece = piece;
                const auto id = open();
                ASSERT_EQ(heard.opens, 1);
                for (const std::size_t size :
                     {0u, 1u, 47u, 48u, 300u, 301u, 2048u, 2049u, 16'368u, 150'000u, 300u}) {
                    for (const std::string& text : {ticks(size), noise(size)}) {
                        ASSERT_EQ(socket(id).send_text(text), SendStatus::kSent);
                        run(4);
                        ASSERT_EQ(heard.messages.size(), 1u) << size;
                        ASSERT_EQ(heard.messages[0], text);
                        heard.messages.clear();
                    }
                }
                EXPECT_TRUE(served.failures.empty());
                socket(id).close();
                run();
                EXPECT_EQ(heard.closes.size(), 1u);
            }
}

TEST_F(DeflateTest, CompressedMessagesAreShorterOnTheWire) {
    start(config({.enabled = true}));
    Raw raw = open_raw(kOffer);
    const std::string text = ticks(1000);
    say(raw, frame(Opcode::kText, text));
    ASSERT_GT(raw.got.size(), 4u);
    EXPECT_EQ(raw.got[0], '\xc1');  // FIN, RSV1, text
    EXPECT_LT(raw.got.size(), text.size() / 2);
}

TEST_F(DeflateTest, Rfc7692_7_NothingIsAgreedUnlessBothWantIt) {
    start(config({.enabled = true}));
    Raw raw = open_raw();
    say(raw, frame(Opcode::kText, ticks(1000)));
    EXPECT_EQ(raw.got[0], '\x81');
    raw.got.clear();
    say(raw, frame(Opcode::kText, hello, true, true));
    EXPECT_EQ(close_code(raw.got), 1002);
}

TEST_F(DeflateTest, Rfc7692_6_1_ControlFramesPassBetweenCompressedFragments) {
    start(config({.enabled = true}));
    Raw raw = open_raw(kOffer);
    say(raw, frame(Opcode::kText, hello.substr(0, 3), false, true) + frame(Opcode::kPing, "beat") +
                 frame(Opcode::kContinuation, hello.substr(3)));
    EXPECT_EQ(raw.got,
              "\x8a\x04"
              "beat"
              "\x81\x05"
              "Hello");
}

TEST_F(DeflateTest, Rfc7692_7_2_2_CorruptDataFailWith1007) {
    start(config({.enabled = true}));
    for (const std::string& bad : {std::string("\xff\xff\xff"), hello.substr(0, 4), std::string("\x07")}) {
        Raw raw = open_raw(kOffer);
        say(raw, frame(Opcode::kBinary, bad, true, true));
        EXPECT_EQ(close_code(raw.got), 1007);
        EXPECT_TRUE(raw.ended);
    }
}

TEST_F(DeflateTest, Rfc6455_8_1_TextIsJudgedAfterInflation) {
    start(config({.enabled = true}));
    // Stored blocks: their octets are the message's.
    const auto stored = [](std::string_view octets) {
        std::string block{'\0', static_cast<char>(octets.size()), '\0', static_cast<char>(~octets.size()),
                          '\xff'};
        return block + std::string(octets) + '\0';
    };
    Raw good = open_raw(kOffer);
    say(good, frame(Opcode::kText, stored("\xe2\x82\xac"), true, true));
    EXPECT_EQ(good.got, "\x81\x03\xe2\x82\xac");
    for (const char* octets : {"\xff", "a\xc3", "\xed\xa0\x80"}) {
        Raw raw = open_raw(kOffer);
        say(raw, frame(Opcode::kText, stored(octets), true, true));
        EXPECT_EQ(close_code(raw.got), 1007);
        Raw binary = open_raw(kOffer);
        say(binary, frame(Opcode::kBinary, stored(octets), true, true));
        EXPECT_EQ(close_code(binary.got), -1);
    }
}

// A small message that inflates to an enormous one ends its connection as soon as it is too long.
TEST_F(DeflateTest, Rfc6455_7_4_1_ABombFailsWith1009AndTakesNoMoreThanTheLimit) {
    EndpointConfig small = config({.enabled = true});
    small.message_memory = 300'000;
    start(small);
    std::string plain(1'000'000, 'x');
    auto pool = *ws::DeflaterPool::create(1);
    ws::Deflater& deflater = pool[pool.take()];
    deflater.begin({});
    std::vector<std::byte> bomb(plain.size());
    const std::span<std::byte> part = std::as_writable_bytes(std::span(plain));
    bomb.resize(deflater.compress(std::span(&part, 1), plain.size(), bomb));
    ASSERT_LT(bomb.size(), 2000u);
    const std::string_view wire(reinterpret_cast<const char*>(bomb.data()), bomb.size());
    for (int i = 0; i < 5; ++i) {
        Raw raw = open_raw(kOffer);
        say(raw, frame(Opcode::kBinary, wire, true, true));
        EXPECT_EQ(close_code(raw.got), 1009);
    }
    EXPECT_EQ(server->counters().memory_refusals.value(), 0u);
}

TEST_F(DeflateTest, StreamsComeBackWhenConnectionsEnd) {
    EndpointConfig tiny = config({.enabled = true, .takeover = true});
    tiny.deflate_memory = 0;  // eight streams each way at least
    start(tiny);
    for (int i = 0; i < 100; ++i) {
        Raw raw = open_raw(kOffer);
        say(raw, frame(Opcode::kText, hello.substr(0, 3), false, true));  // half a message under way
        say(raw, frame(Opcode::kClose, ""));
        client_side.close(raw.id);
        run_raw(raw);
        ASSERT_TRUE(raw.closed);
    }
    Raw raw = connect_raw();
    say(raw, upgrade_request("/echo", kOffer));
    EXPECT_EQ(raw.got.find("no_context_takeover"), std::string::npos) << raw.got;
}

TEST_F(DeflateTest, Rfc7692_7_1_1_WithoutMemoryForTakeoverTheServerSaysSo) {
    EndpointConfig tiny = config({.enabled = true, .takeover = true});
    tiny.deflate_memory = 0;
    start(tiny);
    std::string answer;
    std::vector<Raw> kept;
    while (answer.find("server_no_context_takeover; client_no_context_takeover") == std::string::npos) {
        ASSERT_LT(kept.size(), 20u);
        kept.push_back(connect_raw());
        say(kept.back(), upgrade_request("/echo", kOffer));
        answer = kept.back().got;
        ASSERT_TRUE(answer.starts_with("HTTP/1.1 101"));
    }
    EXPECT_GT(kept.size(), 1u);
    for (Raw& raw : kept) {
        raw.got.clear();
        say(raw, frame(Opcode::kText, hello, true, true));
        EXPECT_EQ(raw.got,
                  "\x81\x05"
                  "Hello");
    }
}

// Section 7.2.1: a message that found no room was never sent, and is not referred to by the next.
TEST_F(DeflateTest, AMessageThatWasRefusedIsForgotten) {
    start_both({true, true, 15}, {true, true, 15});
    const auto id = open();
    const std::string text = ticks(400);
    client_side.pool_dry = true;
    EXPECT_EQ(socket(id).send_text(text), SendStatus::kFull);
    client_side.pool_dry = false;
    run();
    ASSERT_EQ(socket(id).send_text(text), SendStatus::kSent);
    run();
    ASSERT_EQ(heard.messages.size(), 1u);
    EXPECT_EQ(heard.messages[0], text);
}

}  // namespace
}  // namespace millrace
