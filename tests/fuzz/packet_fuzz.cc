// Arbitrary frames to a whole stack that has a connection open: they are counted, answered or dropped, TCP's
// state stays whole, and every mbuf comes home.
//
// Input: frames, each behind a byte of its length divided by two; then up to that many bytes. A frame that
// begins with a zero byte gets an Ethernet header of ours, and what follows is the rest.

#include <cstring>
#include <optional>
#include <vector>

#include "netstack/stack/stack.h"
#include "tests/fuzz/eal.h"
#include "tests/fuzz/program.h"
#include "tests/sim/invariants.h"

namespace {

using namespace millrace;
using fuzz::Program;
using fuzz::require;

constexpr net::MacAddress kOurMac{{2, 0, 0, 0, 0, 1}};
constexpr net::MacAddress kPeerMac{{2, 0, 0, 0, 0, 2}};

net::StackConfig config() {
    net::StackConfig config;
    config.addresses = {*net::parse_local_range("10.0.0.1/24"), *net::parse_local_range("fd00::1/64")};
    config.tcp.max_connections = 64;
    config.tcp.max_half_open = 8;
    config.data_mbufs = 127;
    config.header_mbufs = 255;
    config.neighbours.tentative = {};
    config.neighbours.max_entries = 16;
    config.neighbours.max_waiting = 16;
    return config;
}

const std::shared_ptr<net::StackPools>& pools() {
    static const auto made = *net::StackPools::create(config(), 1500);
    return made;
}

net::Pool& receive_pool() {
    static net::Pool made = *net::Pool::create({.purpose = "receive", .mbufs = 255});
    return made;
}

rte_mbuf* next_frame(Program& program) {
    rte_mbuf* frame = rte_pktmbuf_alloc(receive_pool().get());
    require(frame != nullptr, "received mbufs were lost");
    std::vector<std::uint8_t> bytes(12);
    const auto rest = program.bytes(program.byte() * 2u);
    if (!rest.empty() && rest.front() == 0) {
        std::memcpy(bytes.data(), &kOurMac, 6);
        std::memcpy(bytes.data() + 6, &kPeerMac, 6);
        bytes.insert(bytes.end(), rest.begin() + 1, rest.end());
    } else {
        bytes.assign(rest.begin(), rest.end());
    }
    std::memcpy(rte_pktmbuf_append(frame, static_cast<std::uint16_t>(bytes.size())), bytes.data(),
                bytes.size());
    return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const net::Rss rss(1);
    Program program(data, size);
    {
        auto stack = *net::Stack::create(config(), {.mac = kOurMac, .rss = &rss}, pools());
        tcp::Inspector inspector(stack->tcp());
        require(stack->tcp().listen({net::Ipv4{0x0a000001}, 80}).has_value(), "no listener");
        Time now{1h};
        while (!program.ended()) {
            stack->begin_poll();
            std::vector<rte_mbuf*> burst;
            for (unsigned n = 1 + program.byte() % 4; n > 0 && !program.ended(); --n)
                burst.push_back(next_frame(program));
            stack->receive(burst, now);
            stack->run_timers(now);
            stack->events();
            bool more = true;
            while (more) {
                more = stack->flush(now);
                for (rte_mbuf* frame : stack->outgoing())
                    rte_pktmbuf_free(frame);
                stack->sent(stack->outgoing().size());
            }
            const std::string wrong = inspector.check();
            require(wrong.empty(), wrong.c_str());
            now += 100ms;
        }
    }
    require(
        pools()->data.bytes_in_use() + pools()->headers.bytes_in_use() + receive_pool().bytes_in_use() == 0,
        "mbufs are left");
    return 0;
}
