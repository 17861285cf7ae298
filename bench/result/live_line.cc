#include "bench/result/live_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace millrace::bench {

LiveLine::LiveLine() : on_(::isatty(STDERR_FILENO) == 1) {}

void LiveLine::show(std::string_view text) {
    if (!on_) return;
    // A line that wraps could not be taken back with one carriage return.
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        text = text.substr(0, std::min<std::size_t>(text.size(), size.ws_col - 1u));
    std::fprintf(stderr, "\r%.*s\033[K", static_cast<int>(text.size()), text.data());
    std::fflush(stderr);
    shown_ = true;
}

void LiveLine::clear() {
    if (!shown_) return;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
    shown_ = false;
}

}  // namespace millrace::bench
