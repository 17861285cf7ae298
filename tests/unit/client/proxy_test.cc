// Proxies, named and from the environment.

#include "engine/client/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace millrace::client {
namespace {

Environment environment(std::map<std::string, std::string> variables) {
    return [variables = std::move(variables)](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    };
}

std::string chosen(std::map<std::string, std::string> variables, std::string_view url) {
    const auto proxy = proxy_from(environment(std::move(variables)), *parse_url(url));
    if (!proxy) return "error";
    return *proxy ? write_authority((*proxy)->host, (*proxy)->port) : "none";
}

TEST(Proxy, HasHostPortAndCredentials) {
    const auto proxy = parse_proxy("http://user:pass@[::1]:3128/");
    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->host, "::1");
    EXPECT_EQ(proxy->port, 3128);
    EXPECT_EQ(proxy->credentials, "Basic dXNlcjpwYXNz");
    EXPECT_EQ(parse_proxy("http://a")->port, 80);
    EXPECT_EQ(parse_proxy("http://a")->credentials, "");
}

TEST(Proxy, SaysWhatIsWrong) {
    for (const char* text : {"", "a:3128", "https://a", "socks5://a", "http://", "http://a/x", "http://a:0",
                             "http://a:%0d@b", "http://a b"})
        EXPECT_FALSE(parse_proxy(text)) << text;
}

TEST(ProxyFromTheEnvironment, BySchemeThenForAll) {
    const std::map<std::string, std::string> all{
        {"http_proxy", "http://h:1"}, {"https_proxy", "http://s:2"}, {"all_proxy", "http://all:3"}};
    EXPECT_EQ(chosen(all, "ws://a/"), "h:1");
    EXPECT_EQ(chosen(all, "wss://a/"), "s:2");
    EXPECT_EQ(chosen({{"all_proxy", "http://all:3"}}, "ws://a/"), "all:3");
    EXPECT_EQ(chosen({{"ALL_PROXY", "http://all:3"}}, "wss://a/"), "all:3");
    EXPECT_EQ(chosen({{"HTTPS_PROXY", "http://s:2"}}, "wss://a/"), "s:2");
    EXPECT_EQ(chosen({}, "ws://a/"), "none");
    EXPECT_EQ(chosen({{"http_proxy", ""}}, "ws://a/"), "none");
    EXPECT_EQ(chosen({{"http_proxy", "nonsense"}}, "ws://a/"), "error");
}

TEST(ProxyFromTheEnvironment, HttpProxyInCapitalsIsNotTrusted) {
    EXPECT_EQ(chosen({{"HTTP_PROXY", "http://h:1"}}, "ws://a/"), "none");
}

TEST(ProxyFromTheEnvironment, Exceptions) {
    const auto with = [](const char* except, std::string_view url) {
        return chosen({{"http_proxy", "http://h:1"}, {"no_proxy", except}}, url);
    };
    EXPECT_EQ(with("*", "ws://a/"), "none");
    EXPECT_EQ(with("b, example.com", "ws://example.com/"), "none");
    EXPECT_EQ(with("example.com", "ws://www.example.com/"), "none");
    EXPECT_EQ(with(".example.com", "ws://www.example.com/"), "none");
    EXPECT_EQ(with("EXAMPLE.com", "ws://example.COM/"), "none");
    EXPECT_EQ(with("example.com", "ws://notexample.com/"), "h:1");
    EXPECT_EQ(with("www.example.com", "ws://example.com/"), "h:1");
    EXPECT_EQ(with("127.0.0.1", "ws://127.0.0.1/"), "none");
    EXPECT_EQ(with("10.0.0.0/8", "ws://10.1.2.3/"), "none");
    EXPECT_EQ(with("10.0.0.0/8", "ws://11.1.2.3/"), "h:1");
    EXPECT_EQ(with("[::1]", "ws://[::1]/"), "none");
    EXPECT_EQ(with("2001:db8::/32", "ws://[2001:db8::5]/"), "none");
    EXPECT_EQ(with("::/0", "ws://10.1.2.3/"), "h:1");
    EXPECT_EQ(with(" , ,", "ws://a/"), "h:1");
}

}  // namespace
}  // namespace millrace::client
