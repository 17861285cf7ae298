// websocketpp's server with its transport for those who bring the bytes themselves.

#include <sstream>
#include <websocketpp/config/core.hpp>
#include <websocketpp/server.hpp>

#include "bench/micro/codec/peers/peer.h"

namespace millrace::bench {
namespace {

class Websocketpp : public Peer {
    using Server = websocketpp::server<websocketpp::config::core>;

  public:
    Websocketpp() {
        server_.clear_access_channels(websocketpp::log::alevel::all);
        server_.clear_error_channels(websocketpp::log::elevel::all);
        server_.register_ostream(&out_);
        server_.set_message_handler([this](websocketpp::connection_hdl, Server::message_ptr message) {
            tally_->take(message->get_payload().data(), message->get_payload().size());
        });
        connection_ = server_.get_connection();
        connection_->start();
        connection_->read_all(kUpgrade, sizeof kUpgrade - 1);
        if (connection_->get_state() != websocketpp::session::state::open)
            throw std::runtime_error("websocketpp did not take the upgrade");
    }

    void decode(void* bytes, std::size_t size, std::size_t, Tally& tally) override {
        tally_ = &tally;
        connection_->read_all(static_cast<const char*>(bytes), size);
    }

  private:
    Server server_;
    std::ostringstream out_;
    Server::connection_ptr connection_;
    Tally* tally_ = nullptr;
};

}  // namespace

std::unique_ptr<Peer> make_websocketpp() {
    return std::make_unique<Websocketpp>();
}

void unmask_by_websocketpp(void* bytes, std::size_t size, unsigned key) {
    websocketpp::frame::masking_key_type masking_key;
    masking_key.i = static_cast<std::int32_t>(key);
    websocketpp::frame::word_mask_circ(static_cast<std::uint8_t*>(bytes), size,
                                       websocketpp::frame::prepare_masking_key(masking_key));
}

}  // namespace millrace::bench
