#pragma once
// What a peer of the interop suite does with each of its connections: so many bytes out, so many in, every
// one verified, and an end of the kind that the test wants. The same for a peer on the userspace stack
// (stack_peer.cc) and one on the kernel's sockets (kernel_peer.cc); neither reads the other's mind.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace millrace::interop {

// A byte stream in which a byte follows from its position, so fast to make and to verify that it bounds
// nothing. The period is a prime: pieces of any usual size that change places are noticed.
class Pattern {
  public:
    Pattern();
    // Up to kMost bytes of the stream from `position`.
    std::span<const std::byte> at(std::uint64_t position, std::size_t bytes) const {
        return std::span(bytes_).subspan(position % kPeriod, std::min(bytes, kMost));
    }
    bool matches(std::uint64_t position, std::span<const std::byte> bytes) const;

  private:
    static constexpr std::size_t kPeriod = 65'521;
    static constexpr std::size_t kMost = 65'521;
    std::vector<std::byte> bytes_;
};

// Which side ends a connection, and how.
enum class End : std::uint8_t {
    kSent,   // FIN behind the last byte sent; what the peer still sends is received
    kDone,   // FIN when all is sent and all received
    kAfter,  // FIN when the peer's has come and all is sent
    kReset,  // RST when all is sent, acknowledged, and received
};

struct Script {
    std::uint64_t send = 0;     // bytes
    std::uint64_t receive = 0;  // bytes that must come
    bool echo = false;          // sends what has come, instead of `send` bytes
    End end = End::kDone;
};

// One connection's progress.
class Exchange {
  public:
    Exchange(const Script& script, const Pattern& pattern) : script_(&script), pattern_(&pattern) {}

    // The next bytes to send; none when there are none now.
    std::span<const std::byte> next(std::size_t most) const {
        const std::uint64_t left = (script_->echo ? received_ : script_->send) - sent_;
        return pattern_->at(sent_, std::min<std::uint64_t>(left, most));
    }
    void sent(std::size_t bytes) { sent_ += bytes; }
    // False when they are not the next bytes of the peer's stream.
    bool receive(std::span<const std::byte> bytes) {
        if (bytes.size() > script_->receive - received_ || !pattern_->matches(received_, bytes)) return false;
        received_ += bytes.size();
        return true;
    }

    bool all_sent() const { return sent_ == (script_->echo ? script_->receive : script_->send); }
    bool all_received() const { return received_ == script_->receive; }
    bool complete() const { return all_sent() && all_received(); }
    // Whether it is time for this side to end the connection. `unsent`: bytes not yet acknowledged.
    bool due(bool peer_closed, std::size_t unsent) const;

    std::uint64_t bytes_sent() const { return sent_; }
    std::uint64_t bytes_received() const { return received_; }

  private:
    const Script* script_;
    const Pattern* pattern_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
};

}  // namespace millrace::interop
