// A client's way from a URL to an open WebSocket (client/dialer.h), with look-ups, servers and proxies that
// answer what they like: it ends, every request on the way is one that our own server takes for what was
// meant, secrets stay at home, and what began encrypted stays so.
//
// Input: one byte of choices (1, 2: a proxy, given or in the environment; 4: redirects to plain are followed;
// 8: a header with credentials; the rest: how many redirects), a URL behind its length, then what comes of
// each attempt.

#include <string>
#include <string_view>
#include <vector>

#include "engine/client/dialer.h"
#include "engine/handshake/tunnel.h"
#include "engine/http/chars.h"
#include "tests/fuzz/program.h"

namespace {

using namespace millrace;
using client::Dialer;
using fuzz::require;
using Step = Dialer::Step;

constexpr http::Limits kAmple{.head_bytes = 64u << 10, .target_bytes = 64u << 10};
constexpr std::string_view kSecret = "Bearer of secrets";

http::Request request;
http::Response response;

std::string text(fuzz::Program& program) {
    const auto bytes = program.bytes(program.byte());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_request(const ClientTarget& target) {
    static char out[64u << 10];
    std::vector<http::Field> fields;
    for (const auto& [name, value] : target.fields)
        fields.push_back({name, value});
    const std::size_t size = ws::write_client_request(out, {.host = target.host,
                                                            .target = target.path,
                                                            .key = "dGhlIHNhbXBsZSBub25jZQ==",
                                                            .origin = target.origin,
                                                            .subprotocols = target.subprotocols,
                                                            .extra = fields,
                                                            .deflate = target.deflate});
    require(size != 0, "a request that cannot be written");
    require(http::parse_request({out, size}, request, kAmple).complete() && request.head_bytes == size,
            "a request that is malformed");
    require(request.target == target.path && request.host == target.host, "a request for something else");
    if (target.tunnel.authority.empty()) return;
    const std::size_t length =
        ws::write_connect_request(out, target.tunnel.authority, target.tunnel.credentials);
    require(length != 0 && http::parse_request({out, length}, request, kAmple).complete(),
            "a malformed CONNECT");
    require(request.method == "CONNECT" && request.target == target.tunnel.authority,
            "a CONNECT to somewhere else");
}

void check_aim(const Dialer& dialer, const client::Url& first, bool to_plain) {
    require(to_plain || !first.secure || dialer.url().secure, "from wss to ws");
    const ClientTarget& target = dialer.target();
    check_request(target);
    const auto again = client::parse_url(dialer.url().text());
    require(again && again->same_origin(dialer.url()) && again->target == dialer.url().target,
            "a URL that is not itself");
    for (const auto& [name, value] : target.fields)
        require(value != kSecret || dialer.url().same_origin(first), "credentials for a stranger");
}

// Zero to three addresses; none is an error.
Expected<client::Addresses> look_up(fuzz::Program& program, std::uint16_t port) {
    const unsigned count = program.byte() % 4;
    if (count == 0) return fail("no such name");
    client::Addresses addresses;
    for (unsigned i = 0; i < count; ++i)
        addresses.push_back({net::Ipv4{0x0a000001 + i}, port});
    return addresses;
}

// What comes of an attempt: 1: TCP was established; 2: a redirect follows, 4: a head; 8: of the proxy.
Step attempt(Dialer& dialer, fuzz::Program& program) {
    const unsigned kind = program.byte();
    std::string head = text(program);
    if (kind & 2) head = "HTTP/1.1 302 Found\r\nLocation: " + head + "\r\n\r\n";
    OpeningFailure failure{.why = "it was not to be", .connected = (kind & 1) != 0};
    if (kind & 6 && http::parse_response(head, response, {}).complete() && response.status >= 200) {
        failure.response = &response;
        failure.from_proxy = (kind & 8) && !dialer.target().tunnel.authority.empty();
        failure.content = std::string_view(head).substr(response.head_bytes);
    }
    return dialer.failed(failure);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Program program(data, size);
    const unsigned choices = program.byte();
    const auto first = client::parse_url(text(program));
    if (!first) return 0;
    client::DialOptions options;
    options.redirects = {.most = choices >> 4, .to_plain = (choices & 4) != 0};
    if (choices & 1)
        options.proxy = client::Proxy{.host = "proxy", .port = 3128, .credentials = "Basic YTpi"};
    const std::string excepted = choices & 2 ? text(program) : "";
    if (choices & 2)
        options.environment = [&](const char* name) -> const char* {
            if (std::string_view(name) == "no_proxy") return excepted.c_str();
            return std::string_view(name) == "all_proxy" ? "http://user:pass@[::1]:3128" : nullptr;
        };
    if (choices & 8) options.fields = {{"Cookie", std::string(kSecret)}, {"X-Harmless", "a"}};
    const unsigned most = (options.redirects.most + 1) * 4;  // a look-up and three addresses
    auto dialer = Dialer::create(*first, std::move(options));
    if (!dialer) return 0;  // user information that cannot be sent
    Step step = dialer->start();
    for (unsigned steps = 0; step != Step::kGiveUp; ++steps) {
        require(steps <= most, "it goes on for ever");
        check_aim(*dialer, *first, (choices & 4) != 0);
        if (step == Step::kResolve)
            step = dialer->resolved(look_up(program, dialer->port()));
        else
            step = attempt(*dialer, program);
    }
    require(!dialer->why().empty(), "given up without a reason");
    for (const char c : dialer->why())
        require(c != '\r' && c != '\n' && c != '\0', "a reason of several lines");
    return 0;
}
