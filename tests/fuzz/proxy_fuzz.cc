// What proxies say about whom they speak for: the PROXY protocol's header, X-Forwarded-For and Forwarded.
//
// Input: one byte (0: a header, 1: X-Forwarded-For, 2: Forwarded), then the connection's first bytes, or what
// a client has written into the field before the proxy did.

#include <string>
#include <string_view>
#include <vector>

#include "engine/proxy/forwarded.h"
#include "engine/proxy/proxy_protocol.h"
#include "tests/fuzz/program.h"

namespace {

using namespace millrace;
using fuzz::require;
using proxy::Header;
using proxy::HeaderStatus;

bool same(const Header& a, const Header& b) {
    return a.status == b.status && a.size == b.size && a.source == b.source;
}

Header parse(const std::string& bytes) {
    return proxy::parse_header(std::as_bytes(std::span(bytes)));
}

// Said again in words, it is the same.
void check_source(const net::SocketAddress& source) {
    const std::string ip = net::to_string(source.ip);
    const bool v4 = ip.find(':') == ip.npos;
    const std::string line = std::string("PROXY ") + (v4 ? "TCP4 " : "TCP6 ") + ip +
                             (v4 ? " 10.0.0.1 " : " ::1 ") + std::to_string(source.port) + " 443\r\n";
    require(same(parse(line), {HeaderStatus::kProxied, line.size(), source}), "an address is not itself");
}

void check_header(std::span<const std::uint8_t> data) {
    const auto bytes = std::as_bytes(data);
    const Header whole = proxy::parse_header(bytes);
    require(whole.size <= bytes.size() && whole.size <= proxy::kMostHeader, "the header's length");
    const std::size_t last = std::min(bytes.size(), proxy::kMostHeader + 1);
    bool decided = false;
    for (std::size_t n = 0; n < last; n += last / 256 + 1) {
        // A copy that ends where memory does, so that the address sanitizer sees a read beyond.
        const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
        const Header header = proxy::parse_header(part);
        require(!decided || header.status != HeaderStatus::kIncomplete, "a verdict is taken back");
        decided = header.status != HeaderStatus::kIncomplete;
        require(!decided || same(header, whole), "a part has another verdict than the whole");
        require(!decided || header.size <= n, "complete too early");
    }
    if (whole.status == HeaderStatus::kProxied) check_source(whole.source);
}

// Whatever a client writes, the address that a trusted proxy adds is the only one that can be believed.
void check_field(std::string_view written, bool rfc7239) {
    static http::Request request;
    const net::SocketAddress peer{*net::parse_ip("10.0.0.1"), 4242};
    const auto added = *net::parse_ip("203.0.113.7");
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    head += rfc7239 ? "Forwarded: " : "X-Forwarded-For: ";
    head.append(written).append(rfc7239 ? ", for=203.0.113.7" : ", 203.0.113.7").append("\r\n\r\n");
    const bool one_line = written.find_first_of("\r\n") == written.npos;
    if (!one_line || !http::parse_request(head, request, {}).complete()) return;
    const auto address = [&](std::vector<net::Cidr> trusted) {
        return proxy::client_address(request, peer, {.trusted = std::move(trusted), .rfc7239 = rfc7239});
    };
    require(address({}) == peer, "believed, and nobody is trusted");
    require(address({{peer.ip, 32}}).ip == added, "a client was believed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::span rest(data + 1, size - 1);
    if (data[0] % 3 == 0)
        check_header(rest);
    else
        check_field({reinterpret_cast<const char*>(rest.data()), rest.size()}, data[0] % 3 == 2);
    return 0;
}
