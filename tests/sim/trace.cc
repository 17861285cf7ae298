#include "tests/sim/trace.h"

#include <rte_byteorder.h>
#include <rte_tcp.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "netstack/ip/ipv4.h"
#include "netstack/link/ethernet.h"

namespace millrace::sim {
namespace {

const char* name(Fate fate) {
    switch (fate) {
        case Fate::kPassed:
            return "";
        case Fate::kDown:
            return " (down)";
        case Fate::kLost:
            return " (lost)";
        case Fate::kQueueFull:
            return " (queue full)";
        case Fate::kTooLong:
            return " (too long)";
    }
    return "";
}

const char* name(net::EventKind kind) {
    constexpr const char* kNames[] = {"accepted",    "connected", "received", "writable",
                                      "peer closed", "closed",    "timer"};
    return kNames[static_cast<unsigned>(kind)];
}

// "seq 1 ack 2 win 3 len 4 SA".
std::string tcp_text(std::span<const std::byte> frame) {
    const bool ipv6 = frame[12] == std::byte{0x86};
    const std::size_t headers = net::kEthernetBytes + (ipv6 ? 40 : net::kIpv4Bytes);
    const std::size_t protocol = net::kEthernetBytes + (ipv6 ? 6 : 9);
    if (frame.size() < headers + sizeof(rte_tcp_hdr) || frame[13] == std::byte{0x06} ||
        frame[protocol] != std::byte{net::kProtocolTcp})
        return "not TCP";
    rte_tcp_hdr tcp;
    std::memcpy(&tcp, frame.data() + headers, sizeof tcp);
    std::string flags;
    for (unsigned bit = 0; bit < 6; ++bit)
        if (tcp.tcp_flags >> bit & 1) flags += "FSRPAU"[bit];
    char text[200];
    std::snprintf(text, sizeof text, "%5u > %5u %-3s seq %u ack %u win %u len %zu",
                  rte_be_to_cpu_16(tcp.src_port), rte_be_to_cpu_16(tcp.dst_port), flags.c_str(),
                  rte_be_to_cpu_32(tcp.sent_seq), rte_be_to_cpu_32(tcp.recv_ack),
                  rte_be_to_cpu_16(tcp.rx_win), frame.size() - headers - (tcp.data_off >> 4) * 4);
    return text;
}

double seconds(Duration d) {
    return static_cast<double>(d.count()) / 1e9;
}

}  // namespace

void Trace::frame(Duration at, unsigned from, std::span<const std::byte> frame, Fate fate) {
    ++frames_;
    mix(static_cast<std::uint64_t>(at.count()) * 4 + from);
    mix(static_cast<std::uint64_t>(fate));
    for (std::size_t i = 0; i < frame.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, frame.data() + i, std::min<std::size_t>(8, frame.size() - i));
        mix(word);
    }
    if (pcap_ != nullptr) pcap_->record(at, frame);
    if (verbose_)
        std::printf("%14.6f %s %s%s\n", seconds(at),
                    from == 2   ? "router"
                    : from == 0 ? "0 -->"
                                : "<-- 1",
                    tcp_text(frame).c_str(), name(fate));
}

void Trace::event(Duration at, unsigned host, net::ConnId id, net::EventKind kind, net::CloseReason reason,
                  std::size_t bytes) {
    mix(static_cast<std::uint64_t>(at.count()) * 2 + host);
    mix(std::uint64_t{net::index(id)} << 32 | static_cast<unsigned>(kind) << 8 |
        static_cast<unsigned>(reason));
    mix(bytes);
    if (!verbose_) return;
    std::printf("%14.6f host %u, connection %u: %s", seconds(at), host, net::index(id), name(kind));
    if (kind == net::EventKind::kReceived) std::printf(" %zu", bytes);
    if (kind == net::EventKind::kClosed) std::printf(", %s", net::to_string(reason).data());
    std::printf("\n");
}

void Trace::note(Duration at, std::string_view what) {
    if (verbose_) std::printf("%14.6f %.*s\n", seconds(at), static_cast<int>(what.size()), what.data());
}

}  // namespace millrace::sim
