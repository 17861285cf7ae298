#pragma once
// What other WebSocket libraries make of the same frames, each through its own public interface. This header
// is C++17, for a peer that does not compile as C++20.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace millrace::bench {

// The payloads that were sent, one after the other.
class Payloads {
  public:
    void append(const void* bytes, std::size_t size) {
        bytes_.append(static_cast<const char*>(bytes), size);
        ++count_;
    }
    const std::string& bytes() const { return bytes_; }
    std::size_t count() const { return count_; }

  private:
    std::string bytes_;
    std::size_t count_ = 0;
};

// What was received: counted, and compared with what was sent if that was given.
class Tally {
  public:
    explicit Tally(const Payloads* sent = nullptr) : sent_(sent) {}

    // A message, or a piece of one; `last`: it ends here.
    void take(const void* bytes, std::size_t size, bool last = true) {
        if (sent_ && (bytes_ + size > sent_->bytes().size() ||
                      (size != 0 && std::memcmp(sent_->bytes().data() + bytes_, bytes, size) != 0)))
            wrong_ = true;
        messages_ += last;
        bytes_ += size;
    }
    std::size_t messages() const { return messages_; }
    bool equals(const Payloads& sent) const {
        return !wrong_ && messages_ == sent.count() && bytes_ == sent.bytes().size();
    }

  private:
    const Payloads* sent_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    bool wrong_ = false;
};

// A server's end of an open WebSocket connection. One that cannot be set up throws.
class Peer {
  public:
    virtual ~Peer() = default;
    // Decodes `frames` whole frames. The bytes may be changed.
    virtual void decode(void* bytes, std::size_t size, std::size_t frames, Tally& tally) = 0;
};

std::unique_ptr<Peer> make_wslay();
std::unique_ptr<Peer> make_beast();
std::unique_ptr<Peer> make_websocketpp();
std::unique_ptr<Peer> make_libwebsockets();

// The only one of them with unmasking in its public interface.
void unmask_by_websocketpp(void* bytes, std::size_t size, unsigned key);

// The opening handshake that those want which have no other way in.
inline const char kUpgrade[] =
    "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

}  // namespace millrace::bench
