#include "engine/serve/input.h"

#include <poll.h>
#include <unistd.h>

#include <utility>

namespace millrace {

void Input::run() {
    constexpr int kLookMs = 50;  // how often it is looked whether nobody listens any more
    std::string bytes, chunk(kAtOnce, '\0');
    while (!over_.load()) {
        pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
        if (::poll(&wanted, 1, kLookMs) <= 0) continue;
        const ssize_t n = ::read(STDIN_FILENO, chunk.data(), chunk.size());
        if (n <= 0) break;
        bytes.append(chunk, 0, static_cast<std::size_t>(n));
        if (!take(bytes)) return;
    }
    if (!bytes.empty()) push(std::move(bytes));
    ended_.store(true, std::memory_order_release);
}

// Hands over what is whole, and leaves the rest in `bytes`. False when nobody listens any more.
bool Input::take(std::string& bytes) {
    if (!lines_) return push(std::exchange(bytes, {}));
    std::size_t from = 0;
    for (std::size_t end; (end = bytes.find('\n', from)) != bytes.npos; from = end + 1)
        if (!push(bytes.substr(from, end - from))) return false;
    bytes.erase(0, from);
    if (bytes.size() < most_) return true;
    return push(std::exchange(bytes, {}));
}

bool Input::push(std::string text) {
    constexpr auto kFullWait =
        std::chrono::milliseconds(1);  // the shard takes no more: who writes waits, too
    while (!ring_.push(std::move(text))) {
        if (over_.load()) return false;
        std::this_thread::sleep_for(kFullWait);
    }
    return true;
}

}  // namespace millrace
