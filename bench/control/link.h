#pragma once
// A stream socket between two processes of one run, which say JSON to each other, a line at a time. For main
// threads: it allocates, and send() waits.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::bench {

class Link {
  public:
    // Owns the socket.
    explicit Link(int fd);
    Link(Link&& other) noexcept;
    Link& operator=(Link&&) = delete;
    ~Link();

    // Waits as long as the other end takes none, for some seconds at most.
    void send(const nlohmann::json& message);
    // The next message when all of it is there. What is no JSON breaks the link.
    std::optional<nlohmann::json> receive();
    // Empty as long as the other end can be reached; then what became of it, in words.
    const std::string& broken() const { return broken_; }
    int fd() const { return fd_; }

  private:
    void read_some();
    void break_off(std::string_view why) {
        if (broken_.empty()) broken_ = why;
    }

    int fd_;
    std::string unread_;
    std::string broken_;
};

}  // namespace millrace::bench
