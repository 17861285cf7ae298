// A WebSocket client:  g++ -O2 lines.cc -o lines $(pkg-config --cflags --libs millrace)
//                      ./lines ws://127.0.0.1:9001/      (--help lists the options)

#include <millrace/millrace.h>

#include <cstdio>

// Sends three messages, prints what comes back, and closes.
struct Lines {
    int missing = 3;

    void on_open(auto& ws) {
        for (const char* line : {"one", "two", "three"})
            ws.send_text(line);
    }

    void on_message(auto& ws, const millrace::Message& message) {
        for (const auto part : message.parts())
            std::fwrite(part.data(), 1, part.size(), stdout);
        std::putchar('\n');
        if (--missing == 0) ws.close();
    }
};

int main(int argc, char** argv) {
    return millrace::connect(argc, argv, Lines{});
}
