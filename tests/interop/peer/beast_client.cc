// Boost.Beast as a client of /echo:  beast-client SCENARIO URL plain|deflate
// See cases/peers.py for what the scenarios are.

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "tests/interop/peer/contents.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Tcp = asio::ip::tcp::socket;
using Tls = asio::ssl::stream<Tcp>;

void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

template <class Peer>
void receive(Peer& peer, bool is_text, const std::string& message) {
    // All of it has room from the beginning: where a buffer is full just when the last compressed bytes have
    // come, Beast takes what zlib still holds for an incomplete block (its read(), with buffers that grow,
    // does so at times).
    beast::flat_buffer got;
    do {
        got.commit(peer.read_some(got.prepare(message.size() + 1024 - got.size())));
    } while (!peer.is_message_done());
    const std::string_view bytes(static_cast<const char*>(got.data().data()), got.size());
    require(peer.got_text() == is_text && bytes == message,
            "a message of " + std::to_string(message.size()) + " came back otherwise");
}

template <class Peer>
void echo(Peer& peer, bool is_text, const std::string& message) {
    peer.text(is_text);
    peer.write(asio::buffer(message));
    receive(peer, is_text, message);
}

// Fragments are cut within characters, and pings go between them.
template <class Peer>
void echo_fragments(Peer& peer, const std::string& message, std::size_t parts) {
    peer.text(true);
    const std::size_t each = message.size() / parts + 1;
    for (std::size_t at = 0; at < message.size(); at += each) {
        peer.write_some(at + each >= message.size(),
                        asio::buffer(message.data() + at, std::min(each, message.size() - at)));
        peer.ping("between");
    }
    receive(peer, true, message);
}

template <class Peer>
void exchange(Peer& peer) {
    for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20}) {
        echo(peer, true, text(size));
        echo(peer, false, binary(size));
    }
    echo_fragments(peer, text(3000), 50);
    echo_fragments(peer, text(200'000), 50);
    peer.close({static_cast<websocket::close_code>(4321), "until then"});
    require(peer.reason().code == 4321, "the answer to the close has another code");
}

template <class Peer>
void await(Peer& peer) {
    std::fputs("open\n", stderr);
    beast::flat_buffer got;
    beast::error_code error;
    peer.read(got, error);
    require(error == websocket::error::closed && peer.reason().code == websocket::close_code::going_away,
            "the server's close: " + error.message() + ", " + std::to_string(peer.reason().code));
}

template <class Peer>
void run(Peer& peer, const std::string& scenario, const std::string& host, const std::string& target,
         bool deflate) {
    websocket::permessage_deflate offer;
    offer.client_enable = deflate;
    peer.set_option(offer);
    peer.read_message_max(64u << 20);
    websocket::response_type response;
    peer.handshake(response, host, target);
    require((response.count("Sec-WebSocket-Extensions") != 0) == deflate, "another agreement on compression");
    scenario == "exchange" ? exchange(peer) : await(peer);
}

void run(const std::string& scenario, const std::string& url, bool deflate) {
    const std::size_t host_at = url.find("//") + 2;
    const std::size_t colon = url.rfind(':'), slash = url.find('/', host_at);
    const std::string host = url.substr(host_at, slash - host_at), target = url.substr(slash);
    asio::io_context context;
    asio::ip::tcp::resolver resolver(context);
    Tcp tcp(context);
    asio::connect(tcp, resolver.resolve(url.substr(host_at, colon - host_at),
                                        url.substr(colon + 1, slash - colon - 1)));
    if (!url.starts_with("wss")) {
        websocket::stream<Tcp> peer(std::move(tcp));
        return run(peer, scenario, host, target, deflate);
    }
    asio::ssl::context trusted(asio::ssl::context::tls_client);
    trusted.set_default_verify_paths();  // SSL_CERT_FILE
    trusted.set_verify_mode(asio::ssl::verify_peer);
    websocket::stream<Tls> peer(std::move(tcp), trusted);
    peer.next_layer().handshake(asio::ssl::stream_base::client);
    run(peer, scenario, host, target, deflate);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        require(argc == 4, "usage: beast-client exchange|await URL plain|deflate");
        run(argv[1], argv[2], std::string(argv[3]) == "deflate");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "beast-client: %s\n", error.what());
        return 1;
    }
    return 0;
}
