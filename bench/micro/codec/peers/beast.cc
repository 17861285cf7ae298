// Boost.Beast's websocket::stream over a stream that reads from memory.

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "bench/micro/codec/peers/peer.h"

namespace millrace::bench {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using beast::error_code;

class Memory {
  public:
    using executor_type = net::io_context::executor_type;
    explicit Memory(net::io_context& context) : context_(context) {}
    executor_type get_executor() { return context_.get_executor(); }

    void give(const void* bytes, std::size_t size) { in_ = net::const_buffer(bytes, size); }

    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, error_code& error) {
        const std::size_t n = net::buffer_copy(buffers, in_);
        in_ += n;
        error = n == 0 ? error_code(net::error::would_block) : error_code();
        return n;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers) {
        error_code error;
        const std::size_t n = read_some(buffers, error);
        if (error) throw beast::system_error(error);
        return n;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, error_code& error) {
        error = {};
        return net::buffer_size(buffers);
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        return net::buffer_size(buffers);
    }

  private:
    net::io_context& context_;
    net::const_buffer in_;
};

[[maybe_unused]] void teardown(beast::role_type, Memory&, error_code& error) {
    error = {};
}

class Beast : public Peer {
  public:
    Beast() : stream_(context_) {
        stream_.next_layer().give(kUpgrade, sizeof kUpgrade - 1);
        stream_.accept();
    }

    void decode(void* bytes, std::size_t size, std::size_t frames, Tally& tally) override {
        stream_.next_layer().give(bytes, size);
        for (std::size_t i = 0; i < frames; ++i) {
            stream_.read(message_);
            tally.take(message_.data().data(), message_.size());
            message_.consume(message_.size());
        }
    }

  private:
    net::io_context context_;
    beast::websocket::stream<Memory> stream_;
    beast::flat_buffer message_;
};

}  // namespace

std::unique_ptr<Peer> make_beast() {
    return std::make_unique<Beast>();
}

}  // namespace millrace::bench
