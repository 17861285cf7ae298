// A WebSocket echo server:  g++ -O2 echo.cc -o echo $(pkg-config --cflags --libs millrace)
//                           ./echo --listen ws://127.0.0.1:9001      (--help lists the options)

#include <millrace/millrace.h>

#include <cstdio>

// Each shard has a copy of its own and calls it from its own loop: nothing here needs a lock.
struct Echo {
    struct State {  // per connection; begins as zeros
        unsigned long messages;
    };

    void on_message(auto& ws, const millrace::Message& message) {
        ++ws.state().messages;
        ws.send(message);
    }

    void on_close(auto& ws, millrace::ws::CloseCode code, std::string_view) {
        std::printf("closed with %d after %lu messages\n", static_cast<int>(code), ws.state().messages);
    }
};

int main(int argc, char** argv) {
    return millrace::serve(
        argc, argv,
        millrace::app(millrace::route("/", Echo{}), millrace::page("/healthz", "text/plain", "ok\n")));
}
