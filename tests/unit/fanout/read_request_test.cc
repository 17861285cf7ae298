#include "engine/fanout/read_request.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/fanout/decode.h"

namespace millrace::fanout {
namespace {

using Kind = Request::Kind;
using Topics = std::vector<std::string_view>;

class ReadRequest : public ::testing::Test {
  protected:
    ErrorCode json(std::string_view text) { return read(Dialect::kJson, text); }
    ErrorCode stream(std::string_view text) { return read(Dialect::kStream, text); }
    ErrorCode binary(std::string_view bytes) { return read(Dialect::kBinary, bytes); }
    ErrorCode read(Dialect dialect, std::string_view bytes) {
        message_ = bytes;
        return reader_.read(dialect, dialect != Dialect::kBinary, std::as_bytes(std::span(message_)),
                            request_);
    }
    std::string payload() const {
        return {reinterpret_cast<const char*>(request_.publication.payload.data()),
                request_.publication.payload.size()};
    }

    std::string message_;
    RequestReader reader_;
    Request request_;
};

TEST_F(ReadRequest, JsonSubscribesWithItsOptions) {
    ASSERT_EQ(json(R"({"op":"subscribe","id":1,"topics":["a.*","ethusdt@trade"]})"), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kSubscribe);
    EXPECT_EQ(request_.id, "1");
    EXPECT_EQ(request_.topics, (Topics{"a.*", "ethusdt@trade"}));
    EXPECT_EQ(request_.options, Options{});

    ASSERT_EQ(json(R"({"topics":["a"],"snapshot":true,"from":{"epoch":4294967295,"seq":18446744073709551615},
                       "conflate":{"rate":10},"slow":"drop-oldest","id":"x\ny","op":"subscribe"})"),
              ErrorCode::kNone);
    EXPECT_EQ(request_.id, "\"x\\u000ay\"");
    EXPECT_EQ(request_.options, (Options{true, Position{4294967295u, 18446744073709551615u}, true, 10,
                                         SlowPolicy::kDropOldest}));

    ASSERT_EQ(
        json(R"({"op":"subscribe","topics":["a"],"from":{"seq":1},"conflate":true,"slow":"disconnect"})"),
        ErrorCode::kNone);
    EXPECT_EQ(request_.id, "null");
    EXPECT_EQ(request_.options, (Options{false, Position{0, 1}, true, 0, SlowPolicy::kDisconnect}));
    // Nothing is left of the request before.
    ASSERT_EQ(json(R"({"op":"list","id":null})"), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kList);
    EXPECT_TRUE(request_.topics.empty());
    EXPECT_EQ(request_.options, Options{});
    ASSERT_EQ(json(R"({"op":"unsubscribe","id":3,"topics":["a.>"]})"), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kUnsubscribe);
    EXPECT_EQ(request_.topics, (Topics{"a.>"}));
}

TEST_F(ReadRequest, JsonPublishesDataAsItIsWritten) {
    ASSERT_EQ(
        json(R"({"op":"publish","id":5,"topic":"a","key":"k", "data" : { "p" : 1.00, "q":"\u0041" } })"),
        ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kPublish);
    EXPECT_TRUE(request_.acknowledge);
    EXPECT_EQ(request_.publication.topic, "a");
    EXPECT_EQ(request_.publication.key, "k");
    EXPECT_EQ(request_.publication.content, Content::kJson);
    EXPECT_EQ(payload(), R"({ "p" : 1.00, "q":"\u0041" })");
    for (const char* value : {"1", "-1.50e3", "true", "null", "\"a b \"", "[1, [2]]", "{}", "[]"}) {
        for (const char* space : {"", " ", "\n\t "}) {
            ASSERT_EQ(
                json(std::string(R"({"op":"publish","data":)") + space + value + space + R"(,"topic":"a"})"),
                ErrorCode::kNone);
            EXPECT_EQ(payload(), value);
            ASSERT_EQ(
                json(std::string(R"({"op":"publish","topic":"a","data":)") + space + value + space + "}"),
                ErrorCode::kNone);
            EXPECT_EQ(payload(), value);
        }
    }
    EXPECT_FALSE(request_.acknowledge);
}

TEST_F(ReadRequest, JsonPublishesTextAndBase64) {
    ASSERT_EQ(json(R"({"op":"publish","topic":"a","text":"x\n\"\u00e9"})"), ErrorCode::kNone);
    EXPECT_EQ(request_.publication.content, Content::kText);
    EXPECT_EQ(payload(), "x\n\"\xc3\xa9");
    const auto base64 = [this](std::string_view digits) {
        return json(R"({"op":"publish","topic":"a","base64":")" + std::string(digits) + "\"}");
    };
    ASSERT_EQ(base64("Zm9vYg=="), ErrorCode::kNone);
    EXPECT_EQ(request_.publication.content, Content::kBinary);
    EXPECT_EQ(payload(), "foob");
    ASSERT_EQ(base64("Zm9vYmE="), ErrorCode::kNone);
    EXPECT_EQ(payload(), "fooba");
    ASSERT_EQ(base64("Zm9vYmFy"), ErrorCode::kNone);
    EXPECT_EQ(payload(), "foobar");
    ASSERT_EQ(base64(""), ErrorCode::kNone);
    EXPECT_EQ(payload(), "");
    for (const char* digits :
         {"Z", "Zm9", "Zm9v ", " Zm9", "Z===", "====", "Z=9v", "Zm=v", "Zm9vYg==Zm9v", "Zm-_"})
        EXPECT_EQ(base64(digits), ErrorCode::kWrongValue) << digits;
}

TEST_F(ReadRequest, JsonThatIsNoRequestHasAnErrorOfItsOwn) {
    for (const char* text : {"", "x", "{", "{}x", "[]", "1", "null", R"({"op":"list",})", R"({'op':'list'})",
                             "\xff", R"({"op":"list","id":18446744073709551616})"})
        EXPECT_EQ(json(text), ErrorCode::kMalformed) << text;
    for (const char* text :
         {R"({"op":"subscribed","id":1,"topics":["a"]})", R"({"op":"","id":1})", R"({"op":"List"})"})
        EXPECT_EQ(json(text), ErrorCode::kUnknownRequest) << text;
    for (const char* text :
         {R"({"op":"list","x":1})", R"({"op":"list","topics":["a"]})", R"({"op":"list","Id":1})",
          R"({"op":"unsubscribe","topics":["a"],"snapshot":true})",
          R"({"op":"publish","topic":"a","data":1,"slow":"conflate"})",
          R"({"op":"subscribe","topics":["a"],"data":1})"})
        EXPECT_EQ(json(text), ErrorCode::kUnknownMember) << text;
    for (const char* text : {"{}",
                             R"({"op":1})",
                             R"({"id":1})",
                             R"({"op":"list","op":"list"})",
                             R"({"op":"list","id":-1})",
                             R"({"op":"list","id":1.5})",
                             R"({"op":"list","id":true})",
                             R"({"op":"list","id":[]})",
                             R"({"op":"subscribe"})",
                             R"({"op":"subscribe","topics":[]})",
                             R"({"op":"subscribe","topics":"a"})",
                             R"({"op":"subscribe","topics":[1]})",
                             R"({"op":"subscribe","topics":["a"],"snapshot":1})",
                             R"({"op":"subscribe","topics":["a"],"from":1})",
                             R"({"op":"subscribe","topics":["a"],"from":{}})",
                             R"({"op":"subscribe","topics":["a"],"from":{"epoch":1}})",
                             R"({"op":"subscribe","topics":["a"],"from":{"seq":1,"x":1}})",
                             R"({"op":"subscribe","topics":["a"],"from":{"seq":1,"epoch":4294967296}})",
                             R"({"op":"subscribe","topics":["a"],"conflate":1})",
                             R"({"op":"subscribe","topics":["a"],"conflate":{"rate":-1}})",
                             R"({"op":"subscribe","topics":["a"],"conflate":{"x":1}})",
                             R"({"op":"subscribe","topics":["a"],"slow":"fast"})",
                             R"({"op":"subscribe","topics":["a"],"slow":1})",
                             R"({"op":"publish","topic":"a"})",
                             R"({"op":"publish","data":1})",
                             R"({"op":"publish","topic":1,"data":1})",
                             R"({"op":"publish","topic":"a","data":1,"text":"x"})",
                             R"({"op":"publish","topic":"a","text":1})",
                             R"({"op":"publish","topic":"a","key":"","data":1})",
                             R"({"op":"publish","topic":"a","key":"a b","data":1})",
                             R"({"op":"publish","topic":"a","base64":1})"})
        EXPECT_EQ(json(text), ErrorCode::kWrongValue) << text;
    // The request is known by its id all the same, wherever it stands.
    EXPECT_EQ(json(R"({"what":1,"op":"list","id":7})"), ErrorCode::kUnknownMember);
    EXPECT_EQ(request_.id, "7");
}

TEST_F(ReadRequest, WhatIsTooMuchIsSaid) {
    EXPECT_EQ(json(R"({"op":"list"})" + std::string(kMaxRequestBytes, ' ')), ErrorCode::kTooLong);
    EXPECT_EQ(json(R"({"op":"list","id":")" + std::string(kMaxIdBytes + 1, 'x') + "\"}"),
              ErrorCode::kTooLong);
    const auto subscribe = [this](const std::string& topics) {
        return json(R"({"op":"subscribe","id":1,"topics":[)" + topics + "]}");
    };
    EXPECT_EQ(subscribe('"' + std::string(kMaxTopicBytes, 'x') + '"'), ErrorCode::kNone);
    EXPECT_EQ(subscribe('"' + std::string(kMaxTopicBytes + 1, 'x') + '"'), ErrorCode::kTooLong);
    std::string many = "\"a\"";
    for (std::size_t i = 1; i < kMaxRequestTopics; ++i)
        many += ",\"a\"";
    EXPECT_EQ(subscribe(many), ErrorCode::kNone);
    EXPECT_EQ(request_.topics.size(), kMaxRequestTopics);
    EXPECT_EQ(subscribe(many + ",\"a\""), ErrorCode::kTooManyTopics);
    EXPECT_EQ(request_.id, "1");
    EXPECT_EQ(
        json(R"({"op":"publish","topic":"a","data":1,"key":")" + std::string(kMaxKeyBytes + 1, 'x') + "\"}"),
        ErrorCode::kTooLong);
}

TEST_F(ReadRequest, ABadTopicIsNamedWhereItCanBeShown) {
    EXPECT_EQ(json(R"({"op":"subscribe","topics":["a","b..c"]})"), ErrorCode::kBadTopic);
    EXPECT_EQ(reader_.culprit(), "b..c");
    EXPECT_EQ(json(R"({"op":"subscribe","topics":["a b"]})"), ErrorCode::kBadTopic);
    EXPECT_EQ(reader_.culprit(), "");
    EXPECT_EQ(json(R"({"op":"publish","topic":"a.*","data":1})"), ErrorCode::kBadTopic);
    EXPECT_EQ(reader_.culprit(), "a.*");
    EXPECT_EQ(stream(R"({"method":"SUBSCRIBE","params":["a."],"id":1})"), ErrorCode::kBadTopic);
    EXPECT_EQ(reader_.culprit(), "a.");
}

TEST_F(ReadRequest, TheStreamDialectIsThatOfExchanges) {
    ASSERT_EQ(stream(R"({"method":"SUBSCRIBE","params":["ethusdt@trade","ethusdt@depth@100ms"],"id":1})"),
              ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kSubscribe);
    EXPECT_EQ(request_.id, "1");
    EXPECT_EQ(request_.topics, (Topics{"ethusdt@trade", "ethusdt@depth@100ms"}));
    ASSERT_EQ(stream(R"({"method":"UNSUBSCRIBE","params":["a"],"id":"9d32157c-a556"})"), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kUnsubscribe);
    EXPECT_EQ(request_.id, "\"9d32157c-a556\"");
    for (const char* text : {R"({"method":"LIST_SUBSCRIPTIONS","id":3})",
                             R"({"method":"LIST_SUBSCRIPTIONS","params":[],"id":3})"}) {
        ASSERT_EQ(stream(text), ErrorCode::kNone);
        EXPECT_EQ(request_.kind, Kind::kList);
        EXPECT_EQ(request_.id, "3");
    }
    EXPECT_EQ(stream("SUBSCRIBE"), ErrorCode::kMalformed);
    EXPECT_EQ(stream(R"({"method":"PUBLISH","params":["a"],"id":1})"), ErrorCode::kUnknownRequest);
    EXPECT_EQ(stream(R"({"method":"SUBSCRIBE","params":["a"],"id":1,"x":1})"), ErrorCode::kUnknownMember);
    for (const char* text :
         {R"({"id":1})", R"({"method":1,"id":1})", R"({"method":"SUBSCRIBE","id":1})",
          R"({"method":"SUBSCRIBE","params":[],"id":1})", R"({"method":"SUBSCRIBE","params":"a","id":1})",
          R"({"method":"LIST_SUBSCRIPTIONS","params":["a"],"id":1})"}) {
        EXPECT_EQ(stream(text), ErrorCode::kWrongValue) << text;
        EXPECT_EQ(request_.id, "1");
    }
    EXPECT_EQ(read(Dialect::kStreamCombined, R"({"method":"LIST_SUBSCRIPTIONS","id":3})"), ErrorCode::kNone);
}

TEST_F(ReadRequest, InBinaryWhatAClientWritesIsRead) {
    Request wanted;
    const auto round_trip = [&](std::uint32_t id) {
        std::vector<std::byte> out;
        encode_request(id, wanted, out);
        return binary({reinterpret_cast<const char*>(out.data()), out.size()});
    };
    wanted.kind = Kind::kSubscribe;
    wanted.topics = {"a.*", "b"};
    wanted.options = {true, Position{5, 6}, true, 7, SlowPolicy::kConflate};
    ASSERT_EQ(round_trip(4294967295u), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kSubscribe);
    EXPECT_EQ(request_.id, "4294967295");
    EXPECT_EQ(request_.topics, wanted.topics);
    EXPECT_EQ(request_.options, wanted.options);
    wanted.options = {};
    ASSERT_EQ(round_trip(1), ErrorCode::kNone);
    EXPECT_EQ(request_.options, Options{});
    wanted.kind = Kind::kUnsubscribe;
    ASSERT_EQ(round_trip(2), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kUnsubscribe);
    EXPECT_EQ(request_.topics, wanted.topics);
    wanted.kind = Kind::kList;
    ASSERT_EQ(round_trip(3), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kList);
    EXPECT_EQ(request_.id, "3");

    wanted.kind = Kind::kPublish;
    wanted.acknowledge = true;
    wanted.publication.topic = "t";
    wanted.publication.key = "key";
    wanted.publication.content = Content::kJson;
    const std::string_view data = "{\"a\": 1}";
    wanted.publication.payload = std::as_bytes(std::span(data));
    ASSERT_EQ(round_trip(9), ErrorCode::kNone);
    EXPECT_EQ(request_.kind, Kind::kPublish);
    EXPECT_TRUE(request_.acknowledge);
    EXPECT_EQ(request_.publication.topic, "t");
    EXPECT_EQ(request_.publication.key, "key");
    EXPECT_EQ(request_.publication.content, Content::kJson);
    EXPECT_EQ(payload(), data);
}

TEST_F(ReadRequest, BinaryPayloadsAreWhatTheyClaimToBe) {
    const auto publish = [this](char flags, const std::string& payload) {
        return binary(std::string("\x14") + flags + std::string("\x01\0\0\0\0\x01", 6) + "t" + payload);
    };
    EXPECT_EQ(publish(0, "\xff"), ErrorCode::kNone);
    EXPECT_EQ(publish(1, "\xc3\xa9"), ErrorCode::kNone);
    EXPECT_EQ(publish(1, "\xff"), ErrorCode::kWrongValue);
    EXPECT_EQ(publish(2, "[1]"), ErrorCode::kNone);
    for (const char* no_json : {"", "[1", "1,\"x\":2", "}", "[1]}", "nul"})
        EXPECT_EQ(publish(2, no_json), ErrorCode::kWrongValue) << no_json;
    EXPECT_EQ(publish(3, ""), ErrorCode::kWrongValue);
    EXPECT_EQ(publish(0x10, ""), ErrorCode::kWrongValue);
}

TEST_F(ReadRequest, BinaryThatIsNoRequestHasAnErrorOfItsOwn) {
    using namespace std::string_literals;
    EXPECT_EQ(binary(""), ErrorCode::kMalformed);
    EXPECT_EQ(binary("\x13\0\0\0\0\0\0"s), ErrorCode::kMalformed);
    EXPECT_EQ(binary("\x13\0\0\0\0\0\0\1x"s), ErrorCode::kMalformed);
    EXPECT_EQ(binary("\x13\1\0\0\0\0\0\1"s), ErrorCode::kWrongValue);
    EXPECT_EQ(binary("\x01\0\0\0\0\0\0\1"s), ErrorCode::kUnknownRequest);
    EXPECT_EQ(request_.id, "1");
    EXPECT_EQ(binary("\x12\0\0\0\0\0\0\1"s), ErrorCode::kWrongValue);  // no topic
    EXPECT_EQ(binary("\x12\0\0\0\0\0\0\1\x02"
                     "a"s),
              ErrorCode::kMalformed);  // half a topic
    EXPECT_EQ(binary("\x12\0\0\0\0\0\0\1\x02"
                     "a."s),
              ErrorCode::kBadTopic);
    EXPECT_EQ(binary("\x12\0\0\0\0\0\0\1\0"s), ErrorCode::kBadTopic);
    EXPECT_EQ(binary("\x12\0\0\0\0\0\0\1\xff"s + std::string(255, 'x')), ErrorCode::kTooLong);
    std::string subscribe = "\x11\0\0\0"s + std::string(20, '\0') +
                            "\x01"
                            "a";
    EXPECT_EQ(binary(subscribe), ErrorCode::kNone);
    for (const auto& [at, value] : {std::pair{1, 8}, {2, 4}, {3, 1}, {8, 1}, {19, 1}, {23, 1}}) {
        std::string wrong = subscribe;
        wrong[static_cast<std::size_t>(at)] = static_cast<char>(value);
        EXPECT_EQ(binary(wrong), ErrorCode::kWrongValue) << at;
    }
    EXPECT_EQ(binary(subscribe.substr(0, 23)), ErrorCode::kMalformed);
    EXPECT_EQ(binary("\x14\0\2\0\0\0\0\1t"s), ErrorCode::kMalformed);
    EXPECT_EQ(binary("\x14\0\0\0\0\0\0\1t"s), ErrorCode::kBadTopic);
    EXPECT_EQ(binary("\x14\0\1\0\0\0\0\1*"s), ErrorCode::kBadTopic);
}

TEST_F(ReadRequest, AMessageOfTheWrongTypeIsMalformed) {
    const std::string_view list = R"({"op":"list"})";
    const auto bytes = std::as_bytes(std::span(list));
    EXPECT_EQ(reader_.read(Dialect::kJson, false, bytes, request_), ErrorCode::kMalformed);
    EXPECT_EQ(reader_.read(Dialect::kBinary, true, bytes, request_), ErrorCode::kMalformed);
    EXPECT_EQ(reader_.read(Dialect::kJson, true, bytes, request_), ErrorCode::kNone);
}

}  // namespace
}  // namespace millrace::fanout
