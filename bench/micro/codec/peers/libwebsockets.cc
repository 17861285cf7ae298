// libwebsockets has no way in but a socket: its figures contain one read() of 16 KiB and one poll() for some
// hundred frames.

#include <libwebsockets.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "bench/micro/codec/peers/peer.h"

namespace millrace::bench {
namespace {

class Libwebsockets : public Peer {
  public:
    Libwebsockets() {
        lws_set_log_level(0, nullptr);
        lws_context_creation_info info{};
        info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
        info.protocols = kProtocols;
        info.user = this;
        info.pt_serv_buf_size = 32 << 10;
        info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_IPV6;
        context_ = lws_create_context(&info);
        if (!context_ || ::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets_) != 0 ||
            !lws_adopt_socket(context_, sockets_[0]))
            throw std::runtime_error("libwebsockets took no socket");
        write(kUpgrade, sizeof kUpgrade - 1);
        for (int turn = 0; turn < 100 && !open_; ++turn)
            lws_service(context_, 0);
        if (!open_) throw std::runtime_error("libwebsockets did not take the upgrade");
    }
    ~Libwebsockets() override {
        lws_context_destroy(context_);
        ::close(sockets_[1]);
    }

    void decode(void* bytes, std::size_t size, std::size_t frames, Tally& tally) override {
        tally_ = &tally;
        const std::size_t wanted = tally.messages() + frames;
        write(bytes, size);
        while (tally.messages() < wanted)
            lws_service(context_, 0);
    }

  private:
    static int on_event(lws* socket, lws_callback_reasons reason, void*, void* in, std::size_t size) {
        auto* const self = static_cast<Libwebsockets*>(lws_context_user(lws_get_context(socket)));
        if (reason == LWS_CALLBACK_ESTABLISHED) self->open_ = true;
        if (reason == LWS_CALLBACK_RECEIVE)
            self->tally_->take(in, size,
                               lws_is_final_fragment(socket) && lws_remaining_packet_payload(socket) == 0);
        return 0;
    }

    void write(const void* bytes, std::size_t size) {
        if (::write(sockets_[1], bytes, size) != static_cast<ssize_t>(size))
            throw std::runtime_error("the socket takes no more");
    }

    static const lws_protocols kProtocols[];

    lws_context* context_ = nullptr;
    int sockets_[2]{};
    bool open_ = false;
    Tally* tally_ = nullptr;
};

const lws_protocols Libwebsockets::kProtocols[] = {{"bench", on_event, 0, 4096, 0, nullptr, 0},
                                                   {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

}  // namespace

std::unique_ptr<Peer> make_libwebsockets() {
    return std::make_unique<Libwebsockets>();
}

}  // namespace millrace::bench
