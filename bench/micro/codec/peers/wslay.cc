// wslay's event API, which checks what a server must and assembles messages.

#include <wslay/wslay.h>

#include <algorithm>
#include <stdexcept>

#include "bench/micro/codec/peers/peer.h"

namespace millrace::bench {
namespace {

class Wslay : public Peer {
  public:
    Wslay() {
        wslay_event_callbacks callbacks{};
        callbacks.recv_callback = [](wslay_event_context* context, std::uint8_t* out, std::size_t size, int,
                                     void* self) {
            return static_cast<Wslay*>(self)->receive(context, out, size);
        };
        callbacks.on_msg_recv_callback = [](wslay_event_context*, const wslay_event_on_msg_recv_arg* message,
                                            void* self) {
            static_cast<Wslay*>(self)->tally_->take(message->msg, message->msg_length);
        };
        if (wslay_event_context_server_init(&context_, &callbacks, this) != 0)
            throw std::runtime_error("wslay has no context");
    }
    ~Wslay() override { wslay_event_context_free(context_); }

    void decode(void* bytes, std::size_t size, std::size_t, Tally& tally) override {
        in_ = static_cast<const std::uint8_t*>(bytes);
        left_ = size;
        tally_ = &tally;
        wslay_event_recv(context_);
    }

  private:
    ssize_t receive(wslay_event_context* context, std::uint8_t* out, std::size_t size) {
        const std::size_t n = std::min(size, left_);
        if (n == 0) {
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        std::memcpy(out, in_, n);
        in_ += n;
        left_ -= n;
        return static_cast<ssize_t>(n);
    }

    wslay_event_context_ptr context_ = nullptr;
    const std::uint8_t* in_ = nullptr;
    std::size_t left_ = 0;
    Tally* tally_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_wslay() {
    return std::make_unique<Wslay>();
}

}  // namespace millrace::bench
