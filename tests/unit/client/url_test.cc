// RFC 6455 section 3 and RFC 3986: the URLs of WebSockets.

#include "engine/client/url.h"

#include <gtest/gtest.h>

namespace millrace::client {
namespace {

Url good(std::string_view text) {
    auto url = parse_url(text);
    EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().message);
    return url ? *url : Url{};
}

TEST(Url, HasTheParts) {
    const Url url = good("ws://example.com:9001/chat?room=1");
    EXPECT_FALSE(url.secure);
    EXPECT_EQ(url.host, "example.com");
    EXPECT_EQ(url.port, 9001);
    EXPECT_EQ(url.target, "/chat?room=1");
    EXPECT_FALSE(url.user_info);
}

TEST(Url, DefaultPorts) {  // RFC 6455 section 3
    EXPECT_EQ(good("ws://a").port, 80);
    EXPECT_EQ(good("wss://a").port, 443);
    EXPECT_EQ(good("wss://a:/").port, 443);  // RFC 3986 section 3.2.3
    EXPECT_TRUE(good("wss://a").secure);
}

TEST(Url, HostFieldNamesThePortUnlessItIsTheSchemesOwn) {  // RFC 6455 section 4.1
    EXPECT_EQ(good("ws://a:80/").host_field(), "a");
    EXPECT_EQ(good("wss://a:443/").host_field(), "a");
    EXPECT_EQ(good("ws://a:443/").host_field(), "a:443");
    EXPECT_EQ(good("wss://a:80/").host_field(), "a:80");
    EXPECT_EQ(good("ws://[::1]:80/").host_field(), "[::1]");
    EXPECT_EQ(good("ws://[::1]:9001/").host_field(), "[::1]:9001");
}

TEST(Url, EmptyPathIsASlash) {
    EXPECT_EQ(good("ws://a").target, "/");
    EXPECT_EQ(good("ws://a?x=1").target, "/?x=1");
}

TEST(Url, SchemeAndHostInAnyCase) {
    const Url url = good("WsS://ExAmPlE.com/Path");
    EXPECT_TRUE(url.secure);
    EXPECT_EQ(url.host, "example.com");
    EXPECT_EQ(url.target, "/Path");
}

TEST(Url, IpLiterals) {
    EXPECT_EQ(good("ws://127.0.0.1:80/").host, "127.0.0.1");
    EXPECT_EQ(good("ws://[2001:DB8:0::1]/").host, "2001:db8::1");
}

TEST(Url, PercentEncodingIsKept) {
    EXPECT_EQ(good("ws://a/%7Efoo/%2F?q=%20&r=a+b").target, "/%7Efoo/%2F?q=%20&r=a+b");
    EXPECT_EQ(good("ws://a/a/../b").target, "/a/../b");
}

TEST(Url, UserInformationIsKeptAsWrittenAndNotShown) {
    const Url url = good("ws://us%40er:pa:ss@a/x");
    EXPECT_EQ(url.user_info, "us%40er:pa:ss");
    EXPECT_EQ(url.host, "a");
    EXPECT_EQ(url.text(), "ws://a/x");
}

TEST(Url, SaysWhatIsWrong) {
    for (const char* text : {"",
                             "a",
                             "http://a/",
                             "ws:/a",
                             "ws:a",
                             "//a",
                             "ws://",
                             "ws:///x",
                             "ws://:80/",
                             "ws://a:0/",
                             "ws://a:65536/",
                             "ws://a:x/",
                             "ws://a:-1/",
                             "ws://[::1/",
                             "ws://[]/",
                             "ws://[1.2.3.4]/",
                             "ws://[fe80::1%25eth0]/",
                             "ws://a/#x",
                             "ws://a#",
                             "ws://a/ b",
                             "ws://a/\r\nX: y",
                             "ws://a b/",
                             "ws://a\r\nX: y/",
                             "ws://gr\xc3\xbc\xc3\x9f/",
                             "ws://a/\xc3\xbc",
                             "ws://a%41/",
                             "ws://a/%",
                             "ws://a/%4",
                             "ws://a/%zz",
                             "ws://a/?%g0",
                             "ws://::1/",
                             " ws://a/",
                             "ws://a/\x7f"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_FALSE(url.error().message.empty());
    }
}

TEST(ResolveReference, AsRfc3986Section5_4HasIt) {
    const Url base = good("ws://a/b/c/d;p?q");
    const std::pair<const char*, const char*> cases[] = {
        {"g", "ws://a/b/c/g"},
        {"./g", "ws://a/b/c/g"},
        {"g/", "ws://a/b/c/g/"},
        {"/g", "ws://a/g"},
        {"//g", "ws://g/"},
        {"?y", "ws://a/b/c/d;p?y"},
        {"g?y", "ws://a/b/c/g?y"},
        {"#s", "ws://a/b/c/d;p?q"},
        {"g#s", "ws://a/b/c/g"},
        {"g?y#s", "ws://a/b/c/g?y"},
        {";x", "ws://a/b/c/;x"},
        {"g;x", "ws://a/b/c/g;x"},
        {"", "ws://a/b/c/d;p?q"},
        {".", "ws://a/b/c/"},
        {"./", "ws://a/b/c/"},
        {"..", "ws://a/b/"},
        {"../", "ws://a/b/"},
        {"../g", "ws://a/b/g"},
        {"../..", "ws://a/"},
        {"../../g", "ws://a/g"},
        {"../../../g", "ws://a/g"},
        {"../../../../g", "ws://a/g"},
        {"/./g", "ws://a/g"},
        {"/../g", "ws://a/g"},
        {"g.", "ws://a/b/c/g."},
        {"..g", "ws://a/b/c/..g"},
        {"./../g", "ws://a/b/g"},
        {"./g/.", "ws://a/b/c/g/"},
        {"g/./h", "ws://a/b/c/g/h"},
        {"g/../h", "ws://a/b/c/h"},
        {"g?y/../x", "ws://a/b/c/g?y/../x"},
        {"g?http://x/", "ws://a/b/c/g?http://x/"},
    };
    for (const auto& [reference, wanted] : cases) {
        const auto url = resolve_reference(base, reference);
        ASSERT_TRUE(url) << reference << ": " << url.error().message;
        EXPECT_EQ(url->text(), wanted) << reference;
    }
}

TEST(ResolveReference, SchemesOfTheWebStandForOurs) {
    const Url base = good("ws://a/b");
    EXPECT_EQ(resolve_reference(base, "http://c/d")->text(), "ws://c/d");
    EXPECT_EQ(resolve_reference(base, "https://c:8443/d")->text(), "wss://c:8443/d");
    EXPECT_EQ(resolve_reference(base, "WSS://c")->text(), "wss://c/");
    EXPECT_EQ(resolve_reference(good("wss://a/b"), "//c/d")->text(), "wss://c/d");
}

TEST(ResolveReference, RefusesWhatLeadsNowhere) {
    const Url base = good("ws://a/b");
    for (const char* text : {"ftp://c/", "mailto:x@y", "ws:x", "http:/c", "//", "///x", "/a b", "/%zz",
                             "http://", "x\r\ny", "//c:99999/"})
        EXPECT_FALSE(resolve_reference(base, text)) << text;
}

}  // namespace
}  // namespace millrace::client
