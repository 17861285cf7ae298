#include "netstack/eal/captured_output.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <utility>

namespace millrace::net {

CapturedOutput::CapturedOutput() {
    std::fflush(nullptr);
    file_ = ::memfd_create("captured-output", MFD_CLOEXEC);
    if (file_ < 0) return;  // then EAL prints as it likes
    saved_out_ = ::dup(STDOUT_FILENO);
    saved_err_ = ::dup(STDERR_FILENO);
    ::dup2(file_, STDOUT_FILENO);
    ::dup2(file_, STDERR_FILENO);
}

std::string CapturedOutput::restore() {
    if (file_ < 0) return {};
    std::fflush(nullptr);
    // A stream that was closed before stays closed.
    for (const auto& [saved, number] : {std::pair{saved_out_, STDOUT_FILENO}, {saved_err_, STDERR_FILENO}}) {
        if (saved < 0) {
            ::close(number);
            continue;
        }
        ::dup2(saved, number);
        ::close(saved);
    }
    std::string text(static_cast<std::size_t>(::lseek(file_, 0, SEEK_END)), '\0');
    const auto got = ::pread(file_, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    ::close(file_);
    file_ = -1;
    return text;
}

std::string first_complaint(const std::string& output) {
    std::istringstream in(output);
    std::string fallback;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.starts_with("EAL: Detected") ||
            line.find("Multi-process socket") != line.npos)
            continue;
        for (const char* sign :
             {"annot", "nvalid", "ailed", "rror", "not ", "No ", "nrecognized", "requires"})
            if (line.find(sign) != line.npos) {
                const auto colon = line.find(": ");
                return colon == line.npos ? line : line.substr(colon + 2);
            }
        if (fallback.empty()) fallback = line;
    }
    return fallback;
}

}  // namespace millrace::net
