// libwebsockets as a client of /echo:  lws-client SCENARIO URL plain|deflate
// See cases/peers.py for what the scenarios are.

#include <libwebsockets.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/interop/peer/contents.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "lws-client: %s\n", what.c_str());
    std::exit(1);
}

struct Message {
    bool is_text;
    std::string bytes;
    std::size_t fragment;
};

// libwebsockets 4.1 gives what arrives uncompressed on a connection that compresses to its callback twice:
// there every message is one that shrinks, and so comes back compressed.
std::vector<Message> messages(bool deflate) {
    std::vector<Message> all;
    for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20}) {
        if (deflate && size < 125) continue;
        all.push_back({true, text(size), 1u << 20});
        all.push_back({false, deflate ? text(size) : binary(size), 1u << 20});
    }
    all.push_back({true, text(3000), 61});
    all.push_back({false, deflate ? text(200'000) : binary(200'000), 4001});
    return all;
}

struct Run {
    bool awaits = false;  // the server's close; else messages are exchanged
    std::vector<Message> messages;
    std::size_t next = 0;   // message under way
    std::size_t sent = 0;   // bytes of it
    bool all_sent = false;  // of it
    std::string got;
    int code = 0;  // of the Close that came
    bool over = false;
} run;

void send_some(lws* wsi) {
    const Message& message = run.messages[run.next];
    const std::size_t size = std::min(message.fragment, message.bytes.size() - run.sent);
    std::vector<unsigned char> buffer(LWS_PRE + size);
    std::memcpy(buffer.data() + LWS_PRE, message.bytes.data() + run.sent, size);
    const bool first = run.sent == 0, last = run.sent + size == message.bytes.size();
    const int flags = lws_write_ws_flags(message.is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY, first, last);
    if (lws_write(wsi, buffer.data() + LWS_PRE, size, static_cast<lws_write_protocol>(flags)) <
        static_cast<int>(size))
        fail("a write failed");
    run.sent += size;
    run.all_sent = last;
    if (!last) lws_callback_on_writable(wsi);
}

// False when the connection is to be closed.
bool take(lws* wsi, const char* bytes, std::size_t size) {
    run.got.append(bytes, size);
    if (lws_remaining_packet_payload(wsi) > 0 || !lws_is_final_fragment(wsi)) return true;
    const Message& message = run.messages[run.next];
    if (!run.all_sent || run.got != message.bytes || (lws_frame_is_binary(wsi) == 0) != message.is_text)
        fail("a message of " + std::to_string(message.bytes.size()) + " came back otherwise");
    run.got.clear();
    run.sent = 0;
    run.all_sent = false;
    if (++run.next < run.messages.size()) {
        lws_callback_on_writable(wsi);
        return true;
    }
    char reason[] = "until then";
    lws_close_reason(wsi, static_cast<lws_close_status>(4321), reinterpret_cast<unsigned char*>(reason),
                     sizeof reason - 1);
    return false;
}

int callback(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
    switch (reason) {
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            std::fputs("open\n", stderr);
            if (!run.awaits) lws_callback_on_writable(wsi);
            break;
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            if (!run.awaits && !run.all_sent && run.next < run.messages.size()) send_some(wsi);
            break;
        case LWS_CALLBACK_CLIENT_RECEIVE:
            if (!take(wsi, static_cast<const char*>(in), size)) return -1;
            break;
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            if (size >= 2) {
                const auto* octets = static_cast<const unsigned char*>(in);
                run.code = octets[0] << 8 | octets[1];
            }
            break;
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            fail(std::string("no connection: ") + (in ? static_cast<const char*>(in) : ""));
        case LWS_CALLBACK_CLIENT_CLOSED:
            run.over = true;
            break;
        default:
            break;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) fail("usage: lws-client exchange|await URL plain|deflate");
    run.awaits = std::string(argv[1]) == "await";
    const bool deflate = std::string(argv[3]) == "deflate";
    run.messages = messages(deflate);
    lws_set_log_level(LLL_ERR, nullptr);

    const lws_protocols protocols[] = {{"echo", callback, 0, 1 << 16, 0, nullptr, 0}, {}};
    const lws_extension extensions[] = {{"permessage-deflate", lws_extension_callback_pm_deflate,
                                         "permessage-deflate; client_max_window_bits"},
                                        {}};
    lws_context_creation_info made{};
    made.port = CONTEXT_PORT_NO_LISTEN;
    made.protocols = protocols;
    if (deflate) made.extensions = extensions;
    made.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    made.client_ssl_ca_filepath = std::getenv("SSL_CERT_FILE");
    lws_context* const context = lws_create_context(&made);

    std::string url = argv[2];
    const char *scheme, *host, *path;
    int port;
    if (context == nullptr || lws_parse_uri(url.data(), &scheme, &host, &port, &path) != 0) fail("set-up");
    const std::string target = std::string("/") + path,
                      authority = std::string(host) + ":" + std::to_string(port);
    lws_client_connect_info to{};
    to.context = context;
    to.address = host;
    to.port = port;
    to.path = target.c_str();
    to.host = to.origin = authority.c_str();
    to.local_protocol_name = "echo";
    if (std::string(scheme) == "wss") to.ssl_connection = LCCSCF_USE_SSL;
    if (lws_client_connect_via_info(&to) == nullptr) fail("no connection");
    while (!run.over && lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    if (run.awaits && run.code != 1001) fail("the server's close has code " + std::to_string(run.code));
    if (!run.awaits && run.next != run.messages.size()) fail("closed before all was exchanged");
    return 0;
}
