// RFC 7692 section 7.1 as tables of offers and answers.

#include "engine/deflate/parameters.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace millrace::ws {
namespace {

using V = ExtensionVerdict;

constexpr DeflatePolicy kPlain{.enabled = true};
constexpr DeflatePolicy kTakeover{.enabled = true, .takeover = true};
constexpr DeflatePolicy kSmall{.enabled = true, .takeover = true, .window_bits = 11};

template <class Write>
std::string written(Write write) {
    std::array<char, 512> out;
    http::HeadWriter writer(out);
    write(writer);
    const std::size_t size = writer.finish();
    return {out.data(), size < 4 ? 0 : size - 4};
}

struct OfferCase {
    const char* section;
    std::string offer;
    DeflatePolicy policy;
    V verdict;
    std::string answer;  // the value of the line that is sent, where agreed
};

const std::string kName = "permessage-deflate";
const std::string kBoth = "; server_no_context_takeover; client_no_context_takeover";

const OfferCase kOffers[] = {
    {"7.1", kName, kTakeover, V::kAgreed, kName},
    {"7.1", "Permessage-deflate", kTakeover, V::kNone, ""},
    {"7.1", "permessage-bzip2", kTakeover, V::kNone, ""},
    {"7.1", kName, {}, V::kNone, ""},
    {"7.1", "x-foo; a=1, " + kName, kTakeover, V::kAgreed, kName},
    {"7.1", kName + "; unknown", kTakeover, V::kNone, ""},
    {"7.1", kName + "; unknown, " + kName, kTakeover, V::kAgreed, kName},
    {"7.1", kName + "; server_max_window_bits=10, " + kName, kTakeover, V::kAgreed,
     kName + "; server_max_window_bits=10"},
    // 7.1.1.1
    {"7.1.1.1", kName + "; server_no_context_takeover", kTakeover, V::kAgreed,
     kName + "; server_no_context_takeover"},
    {"7.1.1.1", kName + "; server_no_context_takeover=1", kTakeover, V::kNone, ""},
    {"7.1.1.1", kName + "; server_no_context_takeover; server_no_context_takeover", kTakeover, V::kNone, ""},
    {"7.1.1.1", kName, kPlain, V::kAgreed, kName + kBoth},
    // 7.1.1.2
    {"7.1.1.2", kName + "; client_no_context_takeover", kTakeover, V::kAgreed,
     kName + "; client_no_context_takeover"},
    {"7.1.1.2", kName + "; client_no_context_takeover=true", kTakeover, V::kNone, ""},
    {"7.1.1.2", kName + kBoth, kTakeover, V::kAgreed, kName + kBoth},
    // 7.1.2.1
    {"7.1.2.1", kName + "; server_max_window_bits=15", kTakeover, V::kAgreed,
     kName + "; server_max_window_bits=15"},
    {"7.1.2.1", kName + "; server_max_window_bits=8", kTakeover, V::kAgreed,
     kName + "; server_max_window_bits=8"},
    {"7.1.2.1", kName + "; server_max_window_bits=\"9\"", kTakeover, V::kAgreed,
     kName + "; server_max_window_bits=9"},
    {"7.1.2.1", kName + "; server_max_window_bits=\"1\\2\"", kTakeover, V::kAgreed,
     kName + "; server_max_window_bits=12"},
    {"7.1.2.1", kName + "; server_max_window_bits=12", kSmall, V::kAgreed,
     kName + "; server_max_window_bits=11"},
    {"7.1.2.1", kName + "; server_max_window_bits=10", kSmall, V::kAgreed,
     kName + "; server_max_window_bits=10"},
    {"7.1.2.1", kName, kSmall, V::kAgreed, kName + "; server_max_window_bits=11"},
    {"7.1.2.1", kName + "; server_max_window_bits", kTakeover, V::kNone, ""},
    {"7.1.2.1", kName + "; server_max_window_bits=7", kTakeover, V::kNone, ""},
    {"7.1.2.1", kName + "; server_max_window_bits=16", kTakeover, V::kNone, ""},
    {"7.1.2.1", kName + "; server_max_window_bits=010", kTakeover, V::kNone, ""},
    {"7.1.2.1", kName + "; server_max_window_bits=1x", kTakeover, V::kNone, ""},
    {"7.1.2.1", kName + "; server_max_window_bits=99999999999", kTakeover, V::kNone, ""},
    // 7.1.2.2
    {"7.1.2.2", kName + "; client_max_window_bits", kTakeover, V::kAgreed, kName},
    {"7.1.2.2", kName + "; client_max_window_bits", kSmall, V::kAgreed,
     kName + "; server_max_window_bits=11; client_max_window_bits=11"},
    {"7.1.2.2", kName + "; client_max_window_bits=9", kSmall, V::kAgreed,
     kName + "; server_max_window_bits=11; client_max_window_bits=9"},
    {"7.1.2.2", kName + "; client_max_window_bits=10", kTakeover, V::kAgreed,
     kName + "; client_max_window_bits=10"},
    {"7.1.2.2", kName + "; client_max_window_bits=16", kTakeover, V::kNone, ""},
    {"7.1.2.2", kName + "; client_max_window_bits; client_max_window_bits=9", kTakeover, V::kNone, ""},
    // RFC 6455 section 9.1
    {"6455-9.1", "", kTakeover, V::kNone, ""},
    {"6455-9.1", ", " + kName + " ,", kTakeover, V::kAgreed, kName},
    {"6455-9.1", kName + "\t;\tserver_no_context_takeover", kTakeover, V::kAgreed,
     kName + "; server_no_context_takeover"},
    {"6455-9.1", kName + ";", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; ;", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a=", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a=\"\"", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a=\"b c\"", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a=\"b", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a=\"b\\\"", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + "; a\\b", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + " foo", kTakeover, V::kMalformed, ""},
    {"6455-9.1", kName + ", =1", kTakeover, V::kMalformed, ""},
    {"6455-9.1", "x; a=b=c", kTakeover, V::kMalformed, ""},
};

TEST(DeflateOffer, IsAcceptedOrDeclinedByTheTable) {
    for (const OfferCase& c : kOffers) {
        SCOPED_TRACE(std::string(c.section) + " \"" + c.offer + '"');
        DeflateParameters agreed;
        ASSERT_EQ(accept_deflate_offer(c.offer, c.policy, agreed), c.verdict);
        if (c.verdict != V::kAgreed) continue;
        const std::string line = written([&](auto& w) { write_deflate_response(w, agreed); });
        EXPECT_EQ(line, "Sec-WebSocket-Extensions: " + c.answer);
    }
}

struct AnswerCase {
    const char* section;
    DeflatePolicy offered;
    std::string answer;
    V verdict;
    DeflateParameters agreed{};
};

const AnswerCase kAnswers[] = {
    {"7.1", kTakeover, kName, V::kAgreed, {}},
    {"7.1", {}, kName, V::kRefused},
    {"7.1", kTakeover, "x-foo", V::kRefused},
    {"7.1", kTakeover, kName + ", " + kName, V::kRefused},
    {"7.1", kTakeover, kName + "; unknown", V::kRefused},
    {"7.1.1.1", kTakeover, kName + "; server_no_context_takeover", V::kAgreed, {.server_takeover = false}},
    {"7.1.1.1", kTakeover, kName + "; server_no_context_takeover=1", V::kRefused},
    {"7.1.1.1", kPlain, kName, V::kRefused},  // it was demanded
    {"7.1.1.1",
     kPlain,
     kName + "; server_no_context_takeover",
     V::kAgreed,
     {.server_takeover = false, .client_takeover = false}},
    {"7.1.1.2", kTakeover, kName + "; client_no_context_takeover", V::kAgreed, {.client_takeover = false}},
    {"7.1.1.2", kPlain, kName + kBoth, V::kAgreed, {.server_takeover = false, .client_takeover = false}},
    {"7.1.2.1",
     kTakeover,
     kName + "; server_max_window_bits=9",
     V::kAgreed,
     {.server_bits = 9, .names_server_bits = true}},
    {"7.1.2.1", kTakeover, kName + "; server_max_window_bits", V::kRefused},
    {"7.1.2.1", kTakeover, kName + "; server_max_window_bits=7", V::kRefused},
    {"7.1.2.1",
     kSmall,
     kName + "; server_max_window_bits=11",
     V::kAgreed,
     {.server_bits = 11, .client_bits = 11, .names_server_bits = true}},
    {"7.1.2.1", kSmall, kName + "; server_max_window_bits=12", V::kRefused},
    {"7.1.2.1", kSmall, kName, V::kRefused},
    {"7.1.2.2", kTakeover, kName + "; client_max_window_bits=8", V::kAgreed, {.client_bits = 8}},
    {"7.1.2.2", kTakeover, kName + "; client_max_window_bits", V::kRefused},
    {"7.1.2.2", kSmall, kName + "; server_max_window_bits=9; client_max_window_bits=12", V::kRefused},
    {"6455-9.1", kTakeover, kName + ";", V::kMalformed},
    {"6455-9.1", kTakeover, "", V::kMalformed},
};

TEST(DeflateAnswer, IsTakenOrRefusedByTheTable) {
    for (const AnswerCase& c : kAnswers) {
        SCOPED_TRACE(std::string(c.section) + " \"" + c.answer + '"');
        DeflateParameters agreed;
        ASSERT_EQ(check_deflate_response(c.answer, c.offered, agreed), c.verdict);
        EXPECT_TRUE(c.verdict != V::kAgreed || agreed == c.agreed);
    }
}

// Section 7.1: what our client offers our server accepts, and the client the server's answer, whatever both
// want.
TEST(DeflateOffer, OfOursIsAnsweredByOursToOurTaste) {
    for (const bool server_takeover : {false, true})
        for (const bool client_takeover : {false, true})
            for (std::uint8_t server_bits = 9; server_bits <= 15; ++server_bits)
                for (std::uint8_t client_bits = 9; client_bits <= 15; ++client_bits) {
                    const DeflatePolicy server{true, server_takeover, server_bits};
                    const DeflatePolicy client{true, client_takeover, client_bits};
                    const auto value = [](const std::string& line) { return line.substr(26); };
                    const std::string offer =
                        value(written([&](auto& w) { write_deflate_offer(w, client); }));
                    DeflateParameters agreed, seen;
                    ASSERT_EQ(accept_deflate_offer(offer, server, agreed), V::kAgreed) << offer;
                    const std::string answer =
                        value(written([&](auto& w) { write_deflate_response(w, agreed); }));
                    ASSERT_EQ(check_deflate_response(answer, client, seen), V::kAgreed) << answer;
                    ASSERT_TRUE(agreed == seen) << answer;
                    EXPECT_EQ(agreed.server_takeover, server_takeover && client_takeover);
                    EXPECT_EQ(agreed.server_bits, std::min(server_bits, client_bits));
                    EXPECT_EQ(agreed.client_bits, std::min(server_bits, client_bits));
                }
}

}  // namespace
}  // namespace millrace::ws
