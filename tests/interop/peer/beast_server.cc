// Boost.Beast as an echo server, until it is killed:  beast-server ADDRESS PORT

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;

// Lives as long as one of its operations is under way.
class Session : public std::enable_shared_from_this<Session> {
  public:
    explicit Session(tcp::socket socket) : stream_(std::move(socket)) {
        stream_.next_layer().set_option(tcp::no_delay(true));
    }

    void start() {
        stream_.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error) self->read();
        });
    }

  private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error) self->write();
        });
    }
    void write() {
        stream_.text(stream_.got_text());
        stream_.async_write(buffer_.data(),
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                                if (error) return;
                                self->buffer_.clear();
                                self->read();
                            });
    }

    websocket::stream<tcp::socket> stream_;
    beast::flat_buffer buffer_;
};

void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([&acceptor](beast::error_code error, tcp::socket socket) {
        if (!error) std::make_shared<Session>(std::move(socket))->start();
        accept(acceptor);
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: beast-server ADDRESS PORT\n", stderr);
        return 2;
    }
    try {
        asio::io_context context{1};
        tcp::acceptor acceptor(
            context, {asio::ip::make_address(argv[1]), static_cast<unsigned short>(std::stoul(argv[2]))});
        accept(acceptor);
        std::fputs("listening\n", stderr);
        context.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "beast-server: %s\n", error.what());
        return 1;
    }
}
