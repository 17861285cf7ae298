#pragma once
// Standard input, read by a thread of its own and handed to a shard: lines, or bytes as they come.

#include <atomic>
#include <string>
#include <thread>

#include "netstack/base/spsc_ring.h"

namespace millrace {

class Input {
  public:
    // `most`: bytes of a line; a longer one is cut there.
    Input(bool lines, std::size_t most) : lines_(lines), most_(most), thread_([this] { run(); }) {}
    ~Input() {
        over_.store(true);
        thread_.join();
    }
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    // The shard's side: the next line without its end, or the next bytes.
    bool pop(std::string& out) { return ring_.pop(out); }
    // Nothing more will come; asked before the pop() that finds nothing.
    bool ended() const { return ended_.load(std::memory_order_acquire); }

  private:
    static constexpr std::size_t kAtOnce = 64u << 10;  // bytes of one read

    void run();
    bool take(std::string& bytes);
    bool push(std::string text);

    const bool lines_;
    const std::size_t most_;
    SpscRing<std::string> ring_{64};
    std::atomic<bool> over_{false};
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

}  // namespace millrace
