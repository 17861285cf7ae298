// What may come as a MoldUDP64 feed: whatever the packets, messages are handed up in order and each once,
// what waits stays within its bound, and a session that has ended has nothing left to ask for.
//
// Input: packets, each behind a byte that says how long it is and one that says how much time has passed.

#include <vector>

#include "engine/mold/itch.h"
#include "engine/mold/session.h"
#include "tests/fuzz/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace millrace;
    fuzz::Program program(data, size);
    mold::Receiver receiver(
        {.from = program.byte() % 4u, .request = (program.byte() & 1) != 0, .max_held = 500});
    itch::Topics topics;
    std::uint64_t last = 0;
    const auto each = [&](std::uint64_t sequence, std::span<const std::byte> message) {
        fuzz::require(last == 0 || sequence > last, "a message twice, or out of order");
        last = sequence;
        std::string_view topic;
        fuzz::require(!topics.find(message, topic) || !topic.empty(), "a topic without a name");
    };
    for (Time now{1s}; !program.ended(); now += 1ms * program.byte()) {
        const auto bytes = std::as_bytes(program.bytes(program.byte()));
        // A copy that ends where memory does, so that the address sanitizer sees a read beyond.
        const std::vector<std::byte> packet(bytes.begin(), bytes.end());
        receiver.take(packet, now, each);
        receiver.turn(now, each);
        if (const auto wanted = receiver.request(now)) {
            fuzz::require(wanted->has_messages() && wanted->sequence == receiver.next(),
                          "a request for nothing");
            fuzz::require(!receiver.ended(), "a request after the end");
        }
    }
    return 0;
}
