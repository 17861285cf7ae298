// Two threads that turn a loop as shards do, with something in it that a shard must not do, or with nothing
// that it may not: what the watch itself is tested with.

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace millrace::test {

std::atomic<unsigned> counter{0};
std::mutex mutex;
std::shared_ptr<int> shared;
std::string what;

[[gnu::noinline]] void obey() {
    counter.fetch_add(1);
    asm volatile("");  // called, not jumped to
}

[[gnu::noinline]] void turn() {
    if (what == "count") counter.fetch_add(1);
    if (what == "store") counter.store(1);  // sequentially consistent, so an exchange
    if (what == "plain") counter.store(counter.load() + 1, std::memory_order_release);
    if (what == "lock") std::scoped_lock lock(mutex);
    if (what == "call") ::getppid();
    if (what == "order") obey();
    if (what == "share") std::shared_ptr<int> another = shared;
}

[[gnu::noinline]] void end() {
    std::puts("end");
}

}  // namespace millrace::test

int main(int argc, char** argv) {
    using namespace millrace::test;
    if (argc != 2) return 2;
    what = argv[1];
    shared = std::make_shared<int>(1);
    std::array<std::atomic<bool>, 2> going{};
    std::atomic<bool> over{false};
    const auto run = [&](unsigned self) {
        for (unsigned i = 0; i < 1000; ++i)
            turn();
        going[self].store(true, std::memory_order_release);
        while (!over.load(std::memory_order_relaxed))
            turn();
    };
    std::thread one(run, 0), two(run, 1);
    while (!going[0] || !going[1])
        std::this_thread::yield();
    end();
    over = true;
    one.join();
    two.join();
    ++counter;  // after the end: nobody's business
}
