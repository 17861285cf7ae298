// libwebsockets as an echo server, until it is killed:  lws-server ADDRESS PORT

#include <libwebsockets.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

namespace {

struct Fragment {
    std::vector<unsigned char> bytes;  // behind LWS_PRE of room
    int flags;
};

using Unsent = std::deque<Fragment>;

Fragment fragment(lws* wsi, const void* in, std::size_t size) {
    Fragment made{std::vector<unsigned char>(LWS_PRE + size), 0};
    if (size != 0) std::memcpy(made.bytes.data() + LWS_PRE, in, size);
    const bool last = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
    made.flags = lws_write_ws_flags(lws_frame_is_binary(wsi) != 0 ? LWS_WRITE_BINARY : LWS_WRITE_TEXT,
                                    lws_is_first_fragment(wsi) != 0, last);
    return made;
}

int callback(lws* wsi, lws_callback_reasons reason, void* session, void* in, std::size_t size) {
    auto*& unsent = *static_cast<Unsent**>(session);
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED:
            unsent = new Unsent;
            break;
        case LWS_CALLBACK_RECEIVE:
            unsent->push_back(fragment(wsi, in, size));
            lws_callback_on_writable(wsi);
            break;
        case LWS_CALLBACK_SERVER_WRITEABLE: {
            // One write a callback is libwebsockets' rule; more, as long as the socket takes them, are
            // allowed.
            while (!unsent->empty()) {
                Fragment& next = unsent->front();
                const int length = static_cast<int>(next.bytes.size() - LWS_PRE);
                if (lws_write(wsi, next.bytes.data() + LWS_PRE, next.bytes.size() - LWS_PRE,
                              static_cast<lws_write_protocol>(next.flags)) < length)
                    return -1;
                unsent->pop_front();
                if (lws_send_pipe_choked(wsi) != 0) break;
            }
            if (!unsent->empty()) lws_callback_on_writable(wsi);
            break;
        }
        case LWS_CALLBACK_CLOSED:
            delete unsent;
            unsent = nullptr;
            break;
        default:
            break;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: lws-server ADDRESS PORT\n", stderr);
        return 2;
    }
    lws_set_log_level(LLL_ERR, nullptr);
    const lws_protocols protocols[] = {{"echo", callback, sizeof(Unsent*), 1 << 16, 0, nullptr, 0}, {}};
    lws_context_creation_info made{};
    made.iface = argv[1];
    made.port = std::atoi(argv[2]);
    made.protocols = protocols;
    lws_context* const context = lws_create_context(&made);
    if (context == nullptr) return 1;
    std::fputs("listening\n", stderr);
    while (lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    return 1;
}
