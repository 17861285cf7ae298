// handshake.cc's work by Boost.Beast, through its public interface and with no socket: the request parsed,
// the accept key computed, the response's octets written. Parser and stream are what a program would keep or
// make anew for each connection; the stream is kept, which it allows, and which is cheaper.

#include <benchmark/benchmark.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <string>

#include "bench/micro/requests.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

// Takes what is written, as far as it has room for.
class Sink {
  public:
    using executor_type = asio::io_context::executor_type;

    explicit Sink(asio::io_context& context) : executor_(context.get_executor()) {}
    executor_type get_executor() const { return executor_; }

    template <class Buffers>
    std::size_t read_some(const Buffers&, beast::error_code& error) {
        error = asio::error::eof;
        return 0;
    }
    template <class Buffers>
    std::size_t read_some(const Buffers&) {
        throw beast::system_error(asio::error::eof);
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, beast::error_code& error) {
        error = {};
        const std::size_t n = asio::buffer_copy(asio::buffer(out_) + used_, buffers);
        used_ += n;
        return n;
    }
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers) {
        beast::error_code error;
        return write_some(buffers, error);
    }
    std::string_view written() const { return {out_, used_}; }

  private:
    executor_type executor_;
    char out_[1024];
    std::size_t used_ = 0;
};

// True when the request was taken and `check` likes the answer.
template <class Check>
bool open(asio::io_context& context, const std::string& text, Check check) {
    beast::http::request_parser<beast::http::empty_body> parser;
    beast::error_code error;
    parser.put(asio::buffer(text), error);
    if (error || !parser.is_done()) return false;
    beast::websocket::stream<Sink, false> stream(context);
    stream.accept(parser.get(), error);
    return !error && check(stream.next_layer().written());
}

void upgrade(benchmark::State& state, const std::string& text) {
    asio::io_context context(1);
    const auto right = [](std::string_view answer) {
        return answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != answer.npos;
    };
    const auto whole = [](std::string_view answer) { return answer.ends_with("\r\n\r\n"); };
    if (!open(context, text, right)) return state.SkipWithError("another accept key");
    for (auto _ : state)
        if (!open(context, text, whole)) return state.SkipWithError("the upgrade was not taken");
}
BENCHMARK_CAPTURE(upgrade, bare, millrace::bench::bare_request())->Name("handshake/upgrade_beast/bare");
BENCHMARK_CAPTURE(upgrade, browser, millrace::bench::browser_request())
    ->Name("handshake/upgrade_beast/browser");

}  // namespace
