#include "engine/fanout/encode.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/frame/encode.h"

namespace millrace::fanout {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

template <class What>
std::string said(Dialect dialect, const What& what) {
    std::vector<std::byte> out;
    encode(dialect, what, out);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

// An unmasked frame in its shortest form; the sizes here need no more than 16 bits.
std::string frame(char first, const std::string& payload) {
    std::string out(1, first);
    if (payload.size() < 126) return out + static_cast<char>(payload.size()) + payload;
    return out + '\x7e' + static_cast<char>(payload.size() >> 8) + static_cast<char>(payload.size()) +
           payload;
}
std::string text_frame(const std::string& payload) {
    return frame('\x81', payload);
}
std::string binary_frame(const std::string& payload) {
    return frame('\x82', payload);
}

Publication trade(std::string_view payload, Content content) {
    Publication publication;
    publication.topic_id = 0x01020304;
    publication.topic = "ethusdt@trade";
    publication.position = {0xa1a2a3a4, 0x1112131415161718};
    publication.time_ns = 1723161254024619568;
    publication.content = content;
    publication.payload = bytes_of(payload);
    return publication;
}

TEST(Encode, InBinaryAPublicationIsAHeaderItsKeyAndItsPayload) {
    Publication publication = trade("{\"p\":1}", Content::kJson);
    EXPECT_EQ(
        said(Dialect::kBinary, publication),
        binary_frame(
            std::string("\x01\x02\x00\x00\x01\x02\x03\x04\xa1\xa2\xa3\xa4\x11\x12\x13\x14\x15\x16\x17\x18"
                        "\x17\xe9\xe6\x07\xe4\xda\xa6\x30",
                        28) +
            "{\"p\":1}"));
    publication.snapshot = true;
    publication.content = Content::kBinary;
    publication.key = "k1";
    const std::string keyed = said(Dialect::kBinary, publication);
    EXPECT_EQ(keyed.substr(2, 4), std::string("\x01\x04\x02\x00", 4));
    EXPECT_EQ(keyed.substr(30), "k1{\"p\":1}");
}

TEST(Encode, InJsonAPayloadStandsAsItIs) {
    Publication publication = trade("{ \"p\": 1.0 }", Content::kJson);
    EXPECT_EQ(said(Dialect::kJson, publication),
              text_frame("{\"topic\":\"ethusdt@trade\",\"epoch\":2711790500,\"seq\":1230066625199609624,"
                         "\"time\":1723161254024619,\"data\":{ \"p\": 1.0 }}"));
    publication.snapshot = true;
    publication.key = "bid";
    EXPECT_EQ(
        said(Dialect::kJson, publication),
        text_frame("{\"topic\":\"ethusdt@trade\",\"epoch\":2711790500,\"seq\":1230066625199609624,"
                   "\"time\":1723161254024619,\"snapshot\":true,\"key\":\"bid\",\"data\":{ \"p\": 1.0 }}"));
}

TEST(Encode, InJsonTextIsAStringAndBinaryIsBase64) {
    const auto tail = [](const std::string& whole) { return whole.substr(whole.find("619") + 3); };
    EXPECT_EQ(tail(said(Dialect::kJson, trade("a\"b\\c\n\x01\xc3\xa9", Content::kText))),
              ",\"text\":\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9\"}");
    EXPECT_EQ(tail(said(Dialect::kJson, trade("", Content::kText))), ",\"text\":\"\"}");
    EXPECT_EQ(tail(said(Dialect::kJson, trade("", Content::kBinary))), ",\"base64\":\"\"}");
    EXPECT_EQ(tail(said(Dialect::kJson, trade("f", Content::kBinary))), ",\"base64\":\"Zg==\"}");
    EXPECT_EQ(tail(said(Dialect::kJson, trade("fo", Content::kBinary))), ",\"base64\":\"Zm8=\"}");
    EXPECT_EQ(tail(said(Dialect::kJson, trade("foobar", Content::kBinary))), ",\"base64\":\"Zm9vYmFy\"}");
    // More than is encoded at once.
    const std::string long_one(100, '\xff');
    EXPECT_EQ(tail(said(Dialect::kJson, trade(long_one, Content::kBinary))),
              ",\"base64\":\"" + std::string(133, '/') + "w==\"}");
}

TEST(Encode, TheStreamDialectSendsPayloadsAsTheyAreOrNamed) {
    const Publication json = trade("[1, 2]", Content::kJson);
    EXPECT_EQ(said(Dialect::kStream, json), text_frame("[1, 2]"));
    EXPECT_EQ(said(Dialect::kStreamCombined, json),
              text_frame("{\"stream\":\"ethusdt@trade\",\"data\":[1, 2]}"));
    EXPECT_EQ(said(Dialect::kStream, trade("a\"", Content::kText)), text_frame("a\""));
    EXPECT_EQ(said(Dialect::kStreamCombined, trade("a\"", Content::kText)),
              text_frame("{\"stream\":\"ethusdt@trade\",\"data\":\"a\\\"\"}"));
    EXPECT_EQ(said(Dialect::kStream, trade("\xff", Content::kBinary)), binary_frame("\xff"));
    EXPECT_EQ(said(Dialect::kStreamCombined, trade("\xff", Content::kBinary)),
              text_frame("{\"stream\":\"ethusdt@trade\",\"data\":\"/w==\"}"));
}

// Around 126 and 65,536 bytes the header changes its size after the payload was written.
TEST(Encode, FramesHaveTheShortestHeaderWhateverTheirSize) {
    for (const Dialect dialect :
         {Dialect::kBinary, Dialect::kJson, Dialect::kStream, Dialect::kStreamCombined}) {
        for (const std::size_t base : {std::size_t{0}, std::size_t{65536 - 200}}) {
            for (std::size_t size = base; size < base + 250; ++size) {
                const std::string payload(size, '7');
                const std::string whole = said(dialect, trade(payload, Content::kJson));
                const std::size_t body = whole.size() - (whole[1] == 127 ? 10 : whole[1] == 126 ? 4 : 2);
                ASSERT_EQ(whole.size() - body, ws::header_size(body, false)) << size;
                std::uint64_t stated = static_cast<unsigned char>(whole[1]);
                if (stated >= 126) {
                    stated = 0;
                    for (std::size_t i = 2; i < whole.size() - body; ++i)
                        stated = stated << 8 | static_cast<unsigned char>(whole[i]);
                }
                ASSERT_EQ(stated, body) << size;
                ASSERT_NE(whole.find(payload), whole.npos);
            }
        }
    }
}

TEST(Encode, FramesAreAppendedAndNothingIsAllocatedWhereThereIsRoom) {
    std::vector<std::byte> out;
    out.reserve(4096);
    const std::byte* place = out.data();
    std::string expected;
    for (const Dialect dialect :
         {Dialect::kBinary, Dialect::kJson, Dialect::kStream, Dialect::kStreamCombined}) {
        const Publication publication = trade("{}", Content::kJson);
        encode(dialect, publication, out);
        expected += said(dialect, publication);
    }
    EXPECT_EQ((std::string{reinterpret_cast<const char*>(out.data()), out.size()}), expected);
    EXPECT_EQ(out.data(), place);
}

TEST(Encode, NoticesAreToldWhereThereAreWordsForThem) {
    const Notice topic{Notice::Kind::kTopic, 7, "a.b", {9, 10}, 0};
    const Notice skipped{Notice::Kind::kSkipped, 7, "a.b", {9, 10}, 5};
    const Notice gap{Notice::Kind::kGap, 7, "a.b", {9, 10}, 0};
    const std::string place("\0\0\0\x07\0\0\0\x09\0\0\0\0\0\0\0\x0a", 16);
    EXPECT_EQ(said(Dialect::kBinary, topic), binary_frame(std::string("\x02\0\0\0", 4) + place + "a.b"));
    EXPECT_EQ(said(Dialect::kBinary, skipped),
              binary_frame(std::string("\x03\0\0\0", 4) + place + std::string("\0\0\0\0\0\0\0\x05", 8)));
    EXPECT_EQ(said(Dialect::kBinary, gap), binary_frame(std::string("\x04\0\0\0", 4) + place));
    EXPECT_EQ(said(Dialect::kJson, topic), "");
    EXPECT_EQ(said(Dialect::kJson, skipped),
              text_frame("{\"skipped\":5,\"topic\":\"a.b\",\"epoch\":9,\"seq\":10}"));
    EXPECT_EQ(said(Dialect::kJson, gap),
              text_frame("{\"gap\":true,\"topic\":\"a.b\",\"epoch\":9,\"seq\":10}"));
    for (const Notice& notice : {topic, skipped, gap}) {
        EXPECT_EQ(said(Dialect::kStream, notice), "");
        EXPECT_EQ(said(Dialect::kStreamCombined, notice), "");
    }
}

TEST(Encode, RepliesNameTheRequestAndWhatWasWrong) {
    const std::vector<std::string_view> patterns = {"a.*", "b"};
    const Reply done{"17", Request::Kind::kSubscribe, ErrorCode::kNone, {}, {}};
    const Reply list{"18", Request::Kind::kList, ErrorCode::kNone, {}, patterns};
    const Reply error{"19", Request::Kind::kSubscribe, ErrorCode::kBadTopic, "a..b", {}};
    EXPECT_EQ(said(Dialect::kBinary, done), binary_frame(std::string("\x05\0\0\0\0\0\0\x11", 8)));
    EXPECT_EQ(said(Dialect::kBinary, list), binary_frame(std::string("\x05\x02\0\0\0\0\0\x12\x03"
                                                                     "a.*\x01"
                                                                     "b",
                                                                     14)));
    EXPECT_EQ(said(Dialect::kBinary, error), binary_frame(std::string("\x05\0\x07\0\0\0\0\x13"
                                                                      "a..b",
                                                                      12)));
    EXPECT_EQ(said(Dialect::kJson, done), text_frame("{\"id\":17,\"ok\":true}"));
    EXPECT_EQ(said(Dialect::kJson, list), text_frame("{\"id\":18,\"ok\":true,\"topics\":[\"a.*\",\"b\"]}"));
    EXPECT_EQ(said(Dialect::kJson, error), text_frame("{\"id\":19,\"ok\":false,\"error\":{\"code\":7,"
                                                      "\"message\":\"not a topic\",\"topic\":\"a..b\"}}"));
    EXPECT_EQ(said(Dialect::kStream, done), text_frame("{\"result\":null,\"id\":17}"));
    EXPECT_EQ(said(Dialect::kStreamCombined, list), text_frame("{\"result\":[\"a.*\",\"b\"],\"id\":18}"));
    EXPECT_EQ(said(Dialect::kStream, error),
              text_frame("{\"error\":{\"code\":107,\"msg\":\"not a topic\"},\"id\":19}"));
    const Reply malformed{"null", Request::Kind::kList, ErrorCode::kMalformed, {}, {}};
    EXPECT_EQ(said(Dialect::kStream, malformed),
              text_frame("{\"error\":{\"code\":3,\"msg\":\"the message is malformed\"},\"id\":null}"));
}

}  // namespace
}  // namespace millrace::fanout
