#include "engine/run/serve_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

Expected<ServeOptions> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "serve");
    return parse_serve_options(static_cast<int>(words.size()), words.data());
}

TEST(ServeOptions, DefaultsAreThoseOfTheDesign) {
    const auto options = parse({});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->net, Net::kUring);
    ASSERT_EQ(options->listen.size(), 1u);
    EXPECT_EQ(net::to_string(options->listen[0]), "127.0.0.1:9001");
    EXPECT_EQ(options->cores, std::vector<unsigned>{0});
    EXPECT_EQ(options->endpoint.max_message, 16u << 20);
}

TEST(ServeOptions, Tls) {
    const auto options =
        parse({"--listen", "ws://127.0.0.1:80,wss://[::1]:443", "--tls-cert", "a.pem", "--tls-key", "a.key",
               "--tls-cert", "b.pem", "--tls-key", "b.key", "--tls-client-ca", "ca.pem"});
    ASSERT_TRUE(options) << options.error().message;
    ASSERT_EQ(options->listen.size(), 2u);
    EXPECT_EQ(to_url(options->listen[0]), "ws://127.0.0.1:80");
    EXPECT_EQ(to_url(options->listen[1]), "wss://[::1]:443");
    ASSERT_EQ(options->tls.certificates.size(), 2u);
    EXPECT_EQ(options->tls.certificates[1].certificate, "b.pem");
    EXPECT_EQ(options->tls.certificates[1].key, "b.key");
    EXPECT_EQ(options->tls.client_ca, "ca.pem");
    EXPECT_FALSE(parse({})->secure());
}

TEST(ServeOptions, AccessAndProxies) {
    const auto defaults = parse({})->endpoint;
    EXPECT_TRUE(defaults.tokens.empty() && defaults.forwarded.trusted.empty() && !defaults.proxy_protocol);
    const auto options = parse({"--token", "a", "--proxy-protocol", "on", "--trust-forwarded",
                                "10.0.0.0/8,127.0.0.1,::1", "--forwarded-header", "forwarded"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_FALSE(options->endpoint.tokens.empty());
    EXPECT_TRUE(options->endpoint.proxy_protocol && options->endpoint.forwarded.rfc7239);
    const std::vector networks{*net::parse_cidr("10.0.0.0/8"), *net::parse_cidr("127.0.0.1/32"),
                               *net::parse_cidr("::1/128")};
    EXPECT_EQ(options->endpoint.forwarded.trusted, networks);
    EXPECT_FALSE(parse({"--token", ""}));
    EXPECT_FALSE(parse({"--token-file", "/nowhere"}));
    EXPECT_FALSE(parse({"--token-file", "/dev/null"}));
    EXPECT_FALSE(parse({"--trust-forwarded", "everybody"}));
    EXPECT_FALSE(parse({"--proxy-protocol", "v1"}));
}

TEST(ServeOptions, TcpPresets) {
    EXPECT_EQ(parse({})->tcp, tcp::Preset::kLatency);
    EXPECT_EQ(parse({"--tcp", "throughput"})->tcp, tcp::Preset::kThroughput);
    EXPECT_FALSE(parse({"--tcp", "fast"}));
}

TEST(ServeOptions, Deflate) {
    const auto deflate = [](const char* value) {
        return parse({"--deflate", value})->endpoint.upgrade.deflate;
    };
    EXPECT_FALSE(parse({})->endpoint.upgrade.deflate.enabled);
    EXPECT_FALSE(deflate("off").enabled);
    EXPECT_TRUE(deflate("on").enabled && !deflate("on").takeover);
    EXPECT_TRUE(deflate("takeover").enabled && deflate("takeover").takeover);
    EXPECT_FALSE(parse({"--deflate", "yes"}));
    EXPECT_EQ(parse({"--deflate-memory", "1MiB"})->endpoint.deflate_memory, 1u << 20);
}

TEST(ServeOptions, ReadsEachOption) {
    const auto options = parse({"--net",
                                "dpdk",
                                "--ip",
                                "10.0.0.1/24",
                                "--ip",
                                "10.1.0.1/16",
                                "--gateway",
                                "10.0.0.254",
                                "--listen",
                                "ws://10.0.0.1:80,ws://10.1.0.1:81",
                                "--cores",
                                "0,1",
                                "--max-message",
                                "4KiB",
                                "--handshake-timeout",
                                "3s",
                                "--keep-alive",
                                "90s",
                                "--user-timeout",
                                "15s",
                                "--progress-timeout",
                                "20s",
                                "--send-limit",
                                "64KiB",
                                "--slow-reader",
                                "close",
                                "--slow-messages",
                                "2k",
                                "--slow-bytes",
                                "1MiB",
                                "--idle-timeout",
                                "1m",
                                "--ping-interval",
                                "500ms",
                                "--origin",
                                "https://a.example",
                                "--origin",
                                "https://b.example",
                                "--subprotocol",
                                "chat",
                                "--max-connections",
                                "10k",
                                "--drain-timeout",
                                "2s",
                                "--eal",
                                "--no-huge -m 64"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->net, Net::kDpdk);
    EXPECT_EQ(options->ips.size(), 2u);
    ASSERT_EQ(options->gateways.size(), 1u);
    EXPECT_EQ(net::to_string(options->gateways.front()), "10.0.0.254");
    ASSERT_EQ(options->listen.size(), 2u);
    EXPECT_EQ(options->listen[1].port, 81);
    EXPECT_EQ(options->cores, (std::vector<unsigned>{0, 1}));
    EXPECT_EQ(options->endpoint.max_message, 4096u);
    EXPECT_EQ(options->endpoint.handshake_timeout, 3s);
    EXPECT_EQ(options->keep_alive, 90s);
    EXPECT_EQ(options->slow_messages, 2000u);
    EXPECT_EQ(options->slow_bytes, 1u << 20);
    EXPECT_EQ(options->user_timeout, 15s);
    EXPECT_EQ(options->endpoint.progress_timeout, 20s);
    EXPECT_EQ(options->endpoint.send_limit, 65536u);
    EXPECT_TRUE(options->endpoint.close_slow_readers);
    EXPECT_EQ(options->endpoint.idle_timeout, 60s);
    EXPECT_EQ(options->endpoint.ping_interval, 500ms);
    EXPECT_EQ(options->endpoint.upgrade.origins.size(), 2u);
    EXPECT_EQ(options->endpoint.upgrade.subprotocols, std::vector<std::string>{"chat"});
    EXPECT_EQ(options->max_connections, 10'000u);
    EXPECT_EQ(options->drain_timeout, 2s);
    EXPECT_EQ(options->eal, "--no-huge -m 64");
}

TEST(ServeOptions, DpdkListensOnItsFirstAddressByDefault) {
    const auto options = parse({"--net", "dpdk", "--ip", "10.0.0.1/24"});
    ASSERT_TRUE(options);
    EXPECT_EQ(net::to_string(options->listen.at(0)), "10.0.0.1:9001");
}

TEST(ServeOptions, BothFamilies) {
    const auto options = parse({"--net", "dpdk", "--ip", "10.0.0.1/24", "--ip", "2001:db8::1/64", "--gateway",
                                "10.0.0.254", "--gateway", "fe80::1", "--listen",
                                "ws://[2001:db8::1]:9001,ws://0.0.0.0:80,ws://[::]:80", "--vlan", "7"});
    ASSERT_TRUE(options) << options.error().message;
    EXPECT_EQ(options->ips.at(1).prefix, 64);
    EXPECT_EQ(net::to_string(options->gateways.at(1)), "fe80::1");
    EXPECT_EQ(net::to_string(options->listen.at(0)), "[2001:db8::1]:9001");
    EXPECT_EQ(net::to_string(options->listen.at(2)), "[::]:80");
    EXPECT_EQ(options->vlan, 7);
    EXPECT_EQ(net::to_string(parse({"--listen", "ws://[::1]:9001"})->listen.at(0)), "[::1]:9001");
}

TEST(ServeOptions, SaysInOneSentenceWhatIsWrong) {
    const std::vector<std::vector<const char*>> wrong{
        {"--no-such-option"},
        {"--net", "carrier-pigeon"},
        {"--listen", "127.0.0.1:9001"},
        {"--listen", "ws://127.0.0.1"},
        {"--listen", "wss://127.0.0.1:9001"},
        {"--listen", "wss://127.0.0.1:9001", "--tls-cert", "a.pem"},
        {"--listen", "http://127.0.0.1:9001"},
        {"--tls-cert", "a.pem", "--tls-key", "a.key"},
        {"--tls-client-ca", "ca.pem"},
        {"--listen", "ws://127.0.0.1:70000"},
        {"--cores", "one"},
        {"--max-message", "many"},
        {"--max-message", "2GiB"},
        {"--max-connections", "0"},
        {"--handshake-timeout", "10"},
        {"--progress-timeout", "10"},
        {"--send-limit", "1KiB"},
        {"--slow-messages", "0"},
        {"--slow-bytes", "0"},
        {"--user-timeout", "3h"},
        {"--slow-reader", "wait"},
        {"--net", "dpdk"},
        {"--net", "dpdk", "--ip", "10.0.0.1"},
        {"--net", "dpdk", "--ip", "10.0.0.1/24", "--listen", "ws://10.0.0.2:80"},
        {"--net", "dpdk", "--ip", "10.0.0.1/24", "--gateway", "here"},
        {"--net", "dpdk", "--ip", "10.0.0.1/24", "--listen", "ws://[2001:db8::1]:80"},
        {"--net", "dpdk", "--ip", "2001:db8::1/129"},
        {"--net", "dpdk", "--ip", "10.0.0.1/24", "--vlan", "4095"},
        {"--net", "dpdk", "--ip", "10.0.0.1/24", "--vlan", "blue"},
        {"--listen", "ws://::1:9001"},
        {"--vlan", "7"},
        {"--ip", "10.0.0.1/24"},
        {"--config", "/no/such/file.toml"},
        {"stray"},
    };
    for (const auto& words : wrong) {
        const auto options = parse(words);
        ASSERT_FALSE(options) << words[0] << ' ' << (words.size() > 1 ? words[1] : "");
        EXPECT_FALSE(options.error().message.empty());
        EXPECT_EQ(options.error().message.find('\n'), std::string::npos) << options.error().message;
    }
}

}  // namespace
}  // namespace millrace
