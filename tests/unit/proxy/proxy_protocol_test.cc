// HAProxy's doc/proxy-protocol.txt, by section.

#include "engine/proxy/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::proxy {
namespace {

using namespace std::string_literals;

Header parse(const std::string& text) {
    return parse_header(std::as_bytes(std::span(text)));
}

// `header` is complete with its last byte, whatever follows, and incomplete before.
void expect_source(const std::string& header, std::string_view source) {
    for (std::size_t size = 0; size < header.size(); ++size)
        ASSERT_EQ(parse(header.substr(0, size)).status, HeaderStatus::kIncomplete)
            << size << " of " << testing::PrintToString(header);
    for (const std::string& text : {header, header + "GET / HTTP/1.1\r\n"}) {
        const Header parsed = parse(text);
        EXPECT_EQ(parsed.size, header.size());
        if (source.empty()) {
            EXPECT_EQ(parsed.status, HeaderStatus::kLocal) << testing::PrintToString(header);
        } else {
            ASSERT_EQ(parsed.status, HeaderStatus::kProxied) << testing::PrintToString(header);
            EXPECT_EQ(net::to_string(parsed.source), source);
        }
    }
}

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
    return kSignature + static_cast<char>(command) + static_cast<char>(family) +
           static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size() & 0xff) + rest;
}

const std::string kTcp4 = "\x01\x02\x03\x04\x0a\x00\x00\x01\x04\x00\x23\x29"s;
const std::string kTcp6 =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" + std::string(16, '\0') + "\x04\x01\x23\x29"s;

TEST(ProxyProtocol, Section2_1_Version1NamesTheSource) {
    expect_source("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324");
    expect_source("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535");
    expect_source("PROXY TCP6 2001:db8::1 ::1 1024 0\r\n", "[2001:db8::1]:1024");
    expect_source("PROXY TCP6 ::ffff:1.2.3.4 ::1 1024 0\r\n", "1.2.3.4:1024");
    expect_source("PROXY UNKNOWN\r\n", "");
    expect_source("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", "");
}

TEST(ProxyProtocol, Section2_1_WhatIsNoHeaderIsBad) {
    for (const std::string text :
         {"GET / HTTP/1.1\r\n", "PROXX", "proxy TCP4", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
          "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
          "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 x 1 2\r\n",
          "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY \r\n", "PROXY UNKNOWN\rX", "PROXY UNKNOWN \r\n"})
        EXPECT_EQ(parse(text).status, HeaderStatus::kBad) << testing::PrintToString(text);
    EXPECT_EQ(parse("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").status, HeaderStatus::kLocal);  // 107
    EXPECT_EQ(parse("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n").status, HeaderStatus::kBad);
    EXPECT_EQ(parse("PROXY UNKNOWN " + std::string(93, 'x')).status, HeaderStatus::kBad);
}

TEST(ProxyProtocol, Section2_2_Version2NamesTheSource) {
    expect_source(binary(0x21, 0x11, kTcp4), "1.2.3.4:1024");
    expect_source(binary(0x21, 0x21, kTcp6), "[2001:db8::1]:1025");
    expect_source(binary(0x21, 0x11, kTcp4 + "\x04\x00\x02zz\xea\x00\x00"s), "1.2.3.4:1024");  // TLVs
    expect_source(binary(0x20, 0x00, ""), "");                                                 // LOCAL
    expect_source(binary(0x20, 0x11, kTcp4 + "\x01"), "");   // whatever it brings is skipped
    expect_source(binary(0x21, 0x00, "\x04\x00\x00"s), "");  // UNSPEC
    expect_source(binary(0x21, 0x12, kTcp4), "");            // datagrams
    expect_source(binary(0x21, 0x31, std::string(216, 'u')), "");
}

TEST(ProxyProtocol, Section2_2_BrokenHeadersAreBad) {
    EXPECT_EQ(parse("\r\n\r\n\0\r\nQUIX"s).status, HeaderStatus::kBad);
    EXPECT_EQ(parse("\r\n\r\nGET"s).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(kSignature + "\x11").status, HeaderStatus::kBad);        // version
    EXPECT_EQ(parse(kSignature + "\x22").status, HeaderStatus::kBad);        // command
    EXPECT_EQ(parse(binary(0x21, 0x41, kTcp4)).status, HeaderStatus::kBad);  // family
    EXPECT_EQ(parse(binary(0x21, 0x13, kTcp4)).status, HeaderStatus::kBad);  // transport
    EXPECT_EQ(parse(binary(0x21, 0x11, kTcp4.substr(1))).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(binary(0x21, 0x21, kTcp4)).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(binary(0x21, 0x11, kTcp4 + "\x04\x00"s)).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(binary(0x21, 0x11, kTcp4 + "\x04\x00\x02z"s)).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(binary(0x21, 0x11, std::string(kMostHeader, 'x')).substr(0, 16)).status,
              HeaderStatus::kBad);  // said before it is waited for
}

TEST(ProxyProtocol, Section2_2_4_AChecksumMustBeRight) {
    // CRC-32C of the whole header with zeros in the checksum's place, by an independent table-driven program.
    const auto with = [](std::uint32_t crc) {
        std::string extra = "\x03\x00\x04"s;
        for (int shift = 24; shift >= 0; shift -= 8)
            extra += static_cast<char>(crc >> shift & 0xff);
        return binary(0x21, 0x11, kTcp4 + extra + "\x04\x00\x01z"s);
    };
    constexpr std::uint32_t kRight = 0x1cbafa19;
    expect_source(with(kRight), "1.2.3.4:1024");
    EXPECT_EQ(parse(with(kRight ^ 1)).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(with(0)).status, HeaderStatus::kBad);
    EXPECT_EQ(parse(binary(0x21, 0x11, kTcp4 + "\x03\x00\x03zzz"s)).status, HeaderStatus::kBad);
}

}  // namespace
}  // namespace millrace::proxy
