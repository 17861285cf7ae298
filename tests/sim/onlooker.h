#pragma once
// What anybody on the wire can see of TCP's windows (RFC 9293 section 3.8.6), while invariants.h looks at the
// state from inside:
//
// - no segment's text goes past the right edge that the peer has offered, by what of its segments has arrived
//   (a probe of a closed window has no text of its own: RFC 9293 section 3.8.6.1);
// - no end takes back what it has offered, but for what scaling rounds off (RFC 7323 section 2.4);
// - no end acknowledges less than before.
//
// It knows no more of the connections than their segments say. Where those leave doubt, after a reboot or
// among several SYN cookies, it holds its peace until the next SYN.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "netstack/tcp/seq.h"

namespace millrace::sim {

class Onlooker {
  public:
    // A host has sent a frame, or a whole one has reached it. Throws Failure.
    void sent(unsigned from, std::span<const std::byte> frame);
    void arrived(unsigned to, std::span<const std::byte> frame);
    // Segments that could be judged.
    std::uint64_t judged() const { return judged_; }

  private:
    struct Segment {
        bool ipv6;
        std::array<std::uint16_t, 2> ports;  // of host 0, of host 1
        std::uint8_t flags;
        tcp::Seq seq, ack;
        std::uint32_t length;  // of the text
        std::uint32_t window;  // the field
        std::optional<unsigned> scale;
    };
    // One end of a flow.
    struct End {
        bool known = false;  // its SYN has been seen
        tcp::Seq iss, sent_end;
        std::optional<unsigned> scale;         // of its SYN
        std::optional<tcp::Seq> acknowledged;  // by it
        std::optional<tcp::Seq> offered;       // right edge of its window
        std::optional<tcp::Seq> allowed;       // right edge of the peer's, as far as it has heard
    };
    struct Flow {
        bool ipv6;
        std::array<std::uint16_t, 2> ports;
        std::array<End, 2> ends;
    };

    static std::optional<Segment> read(unsigned from, std::span<const std::byte> frame);
    Flow& flow_of(const Segment& segment);
    static bool acknowledges(const Segment& segment, const End& end);
    static std::uint32_t window_of(const Flow& flow, unsigned from, const Segment& segment);
    void judge_text(End& end, const Segment& segment);
    static void judge_window(End& end, const Segment& segment, std::uint32_t window, std::uint32_t rounding);

    std::vector<Flow> flows_;
    std::uint64_t judged_ = 0;
};

}  // namespace millrace::sim
