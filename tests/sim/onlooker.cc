#include "tests/sim/onlooker.h"

#include <algorithm>

#include "netstack/tcp/header.h"
#include "netstack/tcp/options.h"
#include "tests/sim/failure.h"
#include "tests/sim/tcp_frame.h"

namespace millrace::sim {

using tcp::Seq;

std::optional<Onlooker::Segment> Onlooker::read(unsigned from, std::span<const std::byte> frame) {
    const auto tcp = find_tcp(frame);
    if (!tcp) return std::nullopt;
    const rte_tcp_hdr& header = tcp->header;
    Segment segment{.ipv6 = tcp->ipv6,
                    .ports = {rte_be_to_cpu_16(header.src_port), rte_be_to_cpu_16(header.dst_port)},
                    .flags = header.tcp_flags,
                    .seq = Seq{rte_be_to_cpu_32(header.sent_seq)},
                    .ack = Seq{rte_be_to_cpu_32(header.recv_ack)},
                    .length = static_cast<std::uint32_t>(tcp->payload_bytes),
                    .window = rte_be_to_cpu_16(header.rx_win),
                    .scale = {}};
    if (from == 1) std::swap(segment.ports[0], segment.ports[1]);
    if (segment.flags & tcp::kSyn) {
        tcp::Options options;
        const auto bytes = frame.subspan(tcp->at).first(tcp->header_bytes).subspan(tcp::kMinHeader);
        tcp::parse_options({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, options);
        if (options.has_window_scale) segment.scale = options.window_scale;
    }
    return segment;
}

Onlooker::Flow& Onlooker::flow_of(const Segment& segment) {
    for (Flow& flow : flows_)
        if (flow.ports == segment.ports && flow.ipv6 == segment.ipv6) return flow;
    return flows_.emplace_back(Flow{.ipv6 = segment.ipv6, .ports = segment.ports, .ends = {}});
}

// Something that `end` has sent since the SYN that is known of it.
bool Onlooker::acknowledges(const Segment& segment, const End& end) {
    const std::uint32_t acknowledged = segment.ack - end.iss;
    return end.known && acknowledged > 0 && acknowledged <= end.sent_end - end.iss;
}

// That of a SYN is never scaled, others where both have said how (RFC 7323 section 2.2).
std::uint32_t Onlooker::window_of(const Flow& flow, unsigned from, const Segment& segment) {
    const auto& scale = flow.ends[from].scale;
    const bool scaled = !(segment.flags & tcp::kSyn) && scale && flow.ends[1 - from].scale;
    return segment.window << (scaled ? *scale : 0);
}

void Onlooker::sent(unsigned from, std::span<const std::byte> frame) {
    const auto segment = read(from, frame);
    if (!segment || segment->flags & tcp::kRst) return;
    Flow& flow = flow_of(*segment);
    End& end = flow.ends[from];
    if (segment->flags & tcp::kSyn) {
        // Once more: of a cookie perhaps, which answers an old SYN when all is over.
        if (end.known && segment->seq == end.iss) return;
        end = {.known = true, .iss = segment->seq, .sent_end = segment->seq + 1, .scale = segment->scale};
    }
    if (!end.known) return;
    const std::uint32_t offset = segment->seq - end.iss;
    if (offset > end.sent_end - end.iss) {  // of an incarnation whose SYN was another
        end.known = false;
        return;
    }
    if (segment->flags & tcp::kAck) {
        // Of two SYNs with different options, the peer's ACK tells which one this end has taken.
        if (!acknowledges(*segment, flow.ends[1 - from])) return;
        const std::uint32_t rounding = end.scale ? (1u << *end.scale) - 1 : 0;
        judge_window(end, *segment, window_of(flow, from, *segment), rounding);
    }
    judge_text(end, *segment);
}

void Onlooker::judge_text(End& end, const Segment& segment) {
    ++judged_;
    Seq last = segment.seq + segment.length;
    if (segment.length > 0)
        require(end.allowed && last <= *end.allowed,
                "a segment goes past the window that its peer has offered");
    if (segment.flags & tcp::kFin) last += 1;  // takes no window
    end.sent_end = max(end.sent_end, last);
}

void Onlooker::judge_window(End& end, const Segment& segment, std::uint32_t window, std::uint32_t rounding) {
    require(!end.acknowledged || segment.ack >= *end.acknowledged, "an end acknowledges less than before");
    end.acknowledged = segment.ack;
    const Seq edge = segment.ack + window;
    require(!end.offered || edge + rounding >= *end.offered, "an end takes back what it has offered");
    end.offered = end.offered ? max(*end.offered, edge) : edge;
}

void Onlooker::arrived(unsigned to, std::span<const std::byte> frame) {
    const auto segment = read(1 - to, frame);
    if (!segment || segment->flags & tcp::kRst || !(segment->flags & tcp::kAck)) return;
    Flow& flow = flow_of(*segment);
    End& end = flow.ends[to];
    if (!acknowledges(*segment, end)) return;
    const Seq edge = segment->ack + window_of(flow, 1 - to, *segment);
    end.allowed = end.allowed ? max(*end.allowed, edge) : edge;
}

}  // namespace millrace::sim
