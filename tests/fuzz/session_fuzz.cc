// A session over any stream of bytes: in one piece and in pieces of any size it must yield what the reference
// receiver yields, keep the promises of SessionRun, and give its carries back.
//
// Input: one byte of choices (1: we are a client; 2: a small message limit; the rest: how large pieces are),
// two bytes that seed the cuts, then the stream.

#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/unit/session/reference.h"

namespace {

using namespace millrace::ws;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "session_fuzz: %s\n", what);
    std::abort();
}

void check(const test::SessionRun& run, const test::Events& expected) {
    require(run.faults().empty(), run.faults().c_str());
    require(run.events() == expected, "the events are not the reference's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const unsigned choices = data[0];
    const Role role = choices & 1 ? Role::kClient : Role::kServer;
    const std::uint64_t limit = choices & 2 ? 100 : 1 << 20;
    const std::size_t most = 1 + (choices >> 2);
    const bool deflate = data[1] & 1;
    std::minstd_rand random(data[1] * 256u + data[2] + 1);
    const auto wire = std::as_bytes(std::span(data, size)).subspan(3);

    static auto carries = CarryPool::create(2);
    const test::Events expected = test::reference_decode(wire, role, limit, deflate);
    {
        test::SessionRun run(role, limit, *carries, deflate);
        run.feed(wire);
        check(run, expected);
    }
    {
        test::SessionRun run(role, limit, *carries, deflate);
        for (std::size_t at = 0; at < wire.size();) {
            const std::size_t piece = std::min<std::size_t>(random() % (most + 1), wire.size() - at);
            run.feed(wire.subspan(at, piece));
            at += piece;
        }
        check(run, expected);
    }
    require(carries->in_use() == 0 && carries->refused() == 0, "a carry was lost");
    return 0;
}
