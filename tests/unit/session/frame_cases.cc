#include "tests/unit/session/frame_cases.h"

#include <cctype>

namespace millrace::ws::test {
namespace {

Frame text(std::string payload, bool fin = true) {
    return {.opcode = 1, .payload = std::move(payload), .fin = fin};
}
Frame binary(std::string payload, bool fin = true) {
    return {.opcode = 2, .payload = std::move(payload), .fin = fin};
}
Frame more(std::string payload, bool fin = false) {
    return {.opcode = 0, .payload = std::move(payload), .fin = fin};
}
Frame end(std::string payload) {
    return more(std::move(payload), true);
}
Frame ping(std::string payload) {
    return {.opcode = 9, .payload = std::move(payload)};
}
Frame pong(std::string payload) {
    return {.opcode = 10, .payload = std::move(payload)};
}
Frame close() {
    return {.opcode = 8};
}
Frame close(unsigned code, const std::string& reason = "") {
    return {.opcode = 8,
            .payload = std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason};
}
Frame with(Frame frame, void (*change)(Frame&)) {
    change(frame);
    return frame;
}
std::string of(std::size_t n) {
    return std::string(n, '*');
}
std::string shown(const char* kind, const std::string& payload) {
    return kind + ("(" + payload + ")");
}

const std::string kGreek = "\xCE\xBA\xCF\x8C\xCF\x83\xCE\xBC\xCE\xB5";
const std::string kEuro = "\xE2\x82\xAC";
const std::string kEmoji = "\xF0\x9F\x98\x80";

// clang-format off
void add_data_cases(std::vector<FrameCase>& cases) {
    for (const std::size_t n : {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 124, 125, 126, 127, 128, 300, 1000}) {
        cases.push_back({"5.2", "text of one frame", {text(of(n))}, {shown("text", of(n))}});
        cases.push_back({"5.2", "binary of one frame", {binary(of(n))}, {shown("binary", of(n))}});
    }
    // Where the length's form changes (Autobahn 1.1, 1.2).
    for (const std::size_t n : {65534, 65535, 65536, 65537, 70000}) {
        cases.push_back({"5.2", "text where the length's form changes", {text(of(n))}, {shown("text", of(n))}});
        cases.push_back({"5.2", "binary where the length's form changes", {binary(of(n))}, {shown("binary", of(n))}});
    }
    cases.push_back({"5.6", "binary takes any octets", {binary("\xFF\xFE\x80\xC0")}, {"binary(\xFF\xFE\x80\xC0)"}});
    cases.push_back({"5.2", "a zero octet in text", {text(std::string("a\0b", 3))}, {shown("text", std::string("a\0b", 3))}});
    cases.push_back({"5.3", "key zero", {with(text("plain"), [](Frame& f) { f.key = 0; })}, {"text(plain)"}});
    cases.push_back({"5.3", "each frame has its key",
        {with(text("one"), [](Frame& f) { f.key = 1; }), with(text("two"), [](Frame& f) { f.key = 0xFFFFFFFF; }), text("three")},
        {"text(one)", "text(two)", "text(three)"}});
    cases.push_back({"5.6", "several messages", {text("a"), binary("b"), text(""), text("c")}, {"text(a)", "binary(b)", "text()", "text(c)"}});
    cases.push_back({"5.2", "many small ones", std::vector<Frame>(20, text("tick")), Events(20, "text(tick)")});
}

void add_length_cases(std::vector<FrameCase>& cases) {
    for (const std::size_t n : {0, 1, 125}) {
        cases.push_back({"5.2", "16-bit form of a 7-bit length", {with(text(of(n)), [](Frame& f) { f.length_form = 16; })}, {"fail(1002)"}});
        cases.push_back({"5.2", "64-bit form of a 7-bit length", {with(binary(of(n)), [](Frame& f) { f.length_form = 64; })}, {"fail(1002)"}});
    }
    cases.push_back({"5.2", "64-bit form of a 16-bit length", {with(binary(of(200)), [](Frame& f) { f.length_form = 64; })}, {"fail(1002)"}});
    cases.push_back({"5.2", "top bit of a 64-bit length", {with(binary("x"), [](Frame& f) { f.announced = 1ull << 63; })}, {"fail(1002)"}});
    cases.push_back({"5.2", "all bits of a 64-bit length", {with(binary("x"), [](Frame& f) { f.announced = ~0ull; })}, {"fail(1002)"}});
    cases.push_back({"7.4.1", "limit passed by one", {with(binary("x"), [](Frame& f) { f.announced = kFrameCaseLimit + 1; })}, {"fail(1009)"}});
    cases.push_back({"7.4.1", "the greatest length", {with(text("x"), [](Frame& f) { f.announced = (1ull << 63) - 1; })}, {"fail(1009)"}});
    cases.push_back({"7.4.1", "limit passed by a fragment", {binary(of(100), false), with(end("x"), [](Frame& f) { f.announced = kFrameCaseLimit - 99; })}, {"fail(1009)"}});
    cases.push_back({"7.4.1", "limit passed by the greatest fragment", {binary("x", false), with(end("x"), [](Frame& f) { f.announced = (1ull << 63) - 1; })}, {"fail(1009)"}});
    cases.push_back({"7.4.1", "the limit is a message's", {binary("x"), with(binary("yy"), [](Frame& f) { f.announced = kFrameCaseLimit; })}, {"binary(x)"}});
    cases.push_back({"7.4.1", "limit decided before text is read", {with(text("\xFF"), [](Frame& f) { f.announced = kFrameCaseLimit + 1; })}, {"fail(1009)"}});
}

void add_reserved_cases(std::vector<FrameCase>& cases) {
    for (const unsigned rsv : {0x40u, 0x20u, 0x10u, 0x50u, 0x70u}) {
        Frame bad = text("x");
        bad.rsv = rsv;
        cases.push_back({"5.2", "reserved bit on text", {text("a"), bad}, {"text(a)", "fail(1002)"}});
        bad.opcode = 9;
        cases.push_back({"5.2", "reserved bit on ping", {bad}, {"fail(1002)"}});
        bad.opcode = 8;
        cases.push_back({"5.2", "reserved bit on close", {text("a", false), bad}, {"fail(1002)"}});
        bad.opcode = 0;
        cases.push_back({"5.2", "reserved bit on a continuation", {text("a", false), bad}, {"fail(1002)"}});
    }
    for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
        cases.push_back({"5.2", "reserved opcode", {text("a"), {.opcode = opcode}}, {"text(a)", "fail(1002)"}});
        cases.push_back({"5.2", "reserved opcode with payload", {{.opcode = opcode, .payload = "abc"}, text("a")}, {"fail(1002)"}});
    }
    for (const unsigned opcode : {0u, 1u, 2u, 8u, 9u, 10u})
        cases.push_back({"5.1", "mask bit wrong for the role", {{.opcode = opcode, .payload = "ab", .wrong_mask = true}}, {"fail(1002)"}});
    cases.push_back({"5.1", "mask bit wrong in the middle", {text("a", false), with(end("b"), [](Frame& f) { f.wrong_mask = true; })}, {"fail(1002)"}});
}

void add_fragment_cases(std::vector<FrameCase>& cases) {
    cases.push_back({"5.4", "two fragments", {text("Hel", false), end("lo")}, {"text(Hello)"}});
    cases.push_back({"5.4", "three fragments", {binary("a", false), more("b"), end("c")}, {"binary(abc)"}});
    cases.push_back({"5.4", "fragments of other sizes", {binary(of(200), false), more(of(1)), end(of(130))}, {shown("binary", of(331))}});
    cases.push_back({"5.4", "empty first", {text("", false), end("x")}, {"text(x)"}});
    cases.push_back({"5.4", "empty middle", {text("a", false), more(""), more(""), end("b")}, {"text(ab)"}});
    cases.push_back({"5.4", "empty last", {text("a", false), end("")}, {"text(a)"}});
    cases.push_back({"5.4", "all empty", {binary("", false), more(""), end("")}, {"binary()"}});
    cases.push_back({"5.4", "fragmented after fragmented", {text("a", false), end("b"), binary("c", false), end("d")}, {"text(ab)", "binary(cd)"}});
    cases.push_back({"5.4", "whole after fragmented", {text("a", false), end("b"), text("c")}, {"text(ab)", "text(c)"}});
    cases.push_back({"5.4", "not at its end", {text("a", false), more("b")}, {}});
    cases.push_back({"5.4", "byte fragments", [] {
        std::vector<Frame> frames{text("0", false)};
        for (char c = '1'; c <= '8'; ++c) frames.push_back(more(std::string(1, c)));
        frames.push_back(end("9"));
        return frames; }(), {"text(0123456789)"}});
    for (const std::size_t each : {1300, 4096, 16384}) {  // Autobahn 10.1
        std::vector<Frame> frames{text(of(each), false)};
        for (std::size_t left = 65536 - each; left > each; left -= each) frames.push_back(more(of(each)));
        frames.push_back(end(of(65536 % each == 0 ? each : 65536 % each)));
        cases.push_back({"5.4", "a long message in fragments", frames, {shown("text", of(65536))}});
    }
    cases.push_back({"5.4", "continuation of nothing", {end("x")}, {"fail(1002)"}});
    cases.push_back({"5.4", "open continuation of nothing", {more("x")}, {"fail(1002)"}});
    cases.push_back({"5.4", "empty continuation of nothing", {end("")}, {"fail(1002)"}});
    cases.push_back({"5.4", "continuation after a whole message", {text("a"), end("b")}, {"text(a)", "fail(1002)"}});
    cases.push_back({"5.4", "continuation after the last", {text("a", false), end("b"), end("c")}, {"text(ab)", "fail(1002)"}});
    cases.push_back({"5.4", "text inside text", {text("a", false), text("b")}, {"fail(1002)"}});
    cases.push_back({"5.4", "binary inside text", {text("a", false), binary("b")}, {"fail(1002)"}});
    cases.push_back({"5.4", "open text inside binary", {binary("a", false), text("b", false)}, {"fail(1002)"}});
    cases.push_back({"5.4", "empty message inside an empty beginning", {binary("", false), binary("")}, {"fail(1002)"}});
}

void add_control_cases(std::vector<FrameCase>& cases) {
    for (const std::size_t n : {0, 1, 4, 32, 65, 124, 125}) {
        cases.push_back({"5.5.2", "ping", {ping(of(n))}, {shown("ping", of(n))}});
        cases.push_back({"5.5.3", "pong unasked", {pong(of(n))}, {shown("pong", of(n))}});
        cases.push_back({"5.4", "ping inside a message", {text("a", false), ping(of(n)), end("b")}, {shown("ping", of(n)), "text(ab)"}});
    }
    cases.push_back({"5.5.2", "ping takes any octets", {ping("\xFF\x00\xC0")}, {"ping(\xFF"}});
    cases.back().frames = {ping(std::string("\xFF\x00\xC0", 3))};
    cases.back().events = {shown("ping", std::string("\xFF\x00\xC0", 3))};
    cases.push_back({"5.5.2", "ten pings", std::vector<Frame>(10, ping("p")), Events(10, "ping(p)")});
    cases.push_back({"5.4", "pings and pongs between all fragments",
        {ping("1"), binary("a", false), ping("2"), pong("3"), more("b"), ping(""), more(""), pong(""), end("c"), ping("4")},
        {"ping(1)", "ping(2)", "pong(3)", "ping()", "pong()", "binary(abc)", "ping(4)"}});
    cases.push_back({"5.4", "a ping does not end the character it interrupts",
        {text("\xE2\x82", false), ping("p"), end("\xAC")}, {"ping(p)", shown("text", kEuro)}});
    for (const unsigned opcode : {8u, 9u, 10u}) {
        cases.push_back({"5.5", "control frame of 126 bytes", {{.opcode = opcode, .payload = of(126)}}, {"fail(1002)"}});
        cases.push_back({"5.5", "control frame with a 64-bit length", {{.opcode = opcode, .payload = of(3), .length_form = 64}}, {"fail(1002)"}});
        cases.push_back({"5.5", "fragmented control frame", {{.opcode = opcode, .payload = "ab", .fin = false}}, {"fail(1002)"}});
        cases.push_back({"5.5", "fragmented empty control frame", {text("x", false), {.opcode = opcode, .fin = false}}, {"fail(1002)"}});
    }
}

void add_close_cases(std::vector<FrameCase>& cases) {
    cases.push_back({"7.1.5", "without a code", {close()}, {"close(1005,)"}});
    cases.push_back({"5.5.1", "half a code", {{.opcode = 8, .payload = "\x03"}}, {"fail(1002)"}});
    // What follows, E8, would make 1000 of it.
    cases.push_back({"5.5.1", "half a code is not taken from the next frame", {{.opcode = 8, .payload = "\x03"}, {.opcode = 8, .rsv = 0x60}}, {"fail(1002)"}});
    for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u, 1013u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
        cases.push_back({"7.4", "a code that may be sent", {close(code)}, {"close(" + std::to_string(code) + ",)"}});
        cases.push_back({"7.4", "a code and a reason", {close(code, "bye")}, {"close(" + std::to_string(code) + ",bye)"}});
    }
    for (const unsigned code : {0u, 1u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u})
        cases.push_back({"7.4", "a code that may not", {text("a"), close(code, "x")}, {"text(a)", "fail(1002)"}});
    cases.push_back({"5.5.1", "the longest reason", {close(1000, of(123))}, {"close(1000," + of(123) + ")"}});
    cases.push_back({"5.5", "a reason too long", {close(1000, of(124))}, {"fail(1002)"}});
    cases.push_back({"5.5.1", "reason in UTF-8", {close(1000, kGreek + kEmoji)}, {"close(1000," + kGreek + kEmoji + ")"}});
    cases.push_back({"8.1", "reason not in UTF-8", {close(1000, "\xC0\x80")}, {"fail(1007)"}});
    cases.push_back({"8.1", "reason cut inside a character", {close(1000, "abc\xE2\x82")}, {"fail(1007)"}});
    cases.push_back({"7.4", "a bad code with a bad reason", {close(1005, "\xFF")}, {"fail(1002)"}});
    cases.push_back({"5.5.1", "nothing after Close: text", {close(1000), text("late")}, {"close(1000,)"}});
    cases.push_back({"5.5.1", "nothing after Close: ping", {close(), ping("late")}, {"close(1005,)"}});
    cases.push_back({"5.5.1", "nothing after Close: Close", {close(1000), close(1001)}, {"close(1000,)"}});
    cases.push_back({"5.5.1", "nothing after Close: what breaks the rules", {close(1000), {.opcode = 15, .rsv = 0x70}}, {"close(1000,)"}});
    cases.push_back({"5.4", "Close inside a message", {text("a", false), close(1001), end("b")}, {"close(1001,)"}});
    cases.push_back({"5.5.1", "messages before Close", {text("a"), binary("b"), close(1000, "ok")}, {"text(a)", "binary(b)", "close(1000,ok)"}});
    cases.push_back({"7.1.7", "nothing after a failure", {{.opcode = 3}, text("late"), close(1000)}, {"fail(1002)"}});
}

void add_utf8_cases(std::vector<FrameCase>& cases) {
    for (const std::string& good : {kGreek, kEuro, kEmoji, std::string("\xC2\x80"), std::string("\xDF\xBF"), std::string("\xE0\xA0\x80"),
            std::string("\xED\x9F\xBF"), std::string("\xEE\x80\x80"), std::string("\xEF\xBF\xBF"), std::string("\xF0\x90\x80\x80"), std::string("\xF4\x8F\xBF\xBF")}) {
        cases.push_back({"8.1", "text in UTF-8", {text(good)}, {shown("text", good)}});
        const std::size_t cut = good.size() / 2;
        cases.push_back({"8.1", "fragments cut inside a character", {text("x" + good.substr(0, cut), false), end(good.substr(cut) + "y")},
            {shown("text", "x" + good + "y")}});
        std::vector<Frame> single{text("", false)};
        for (const char c : good) single.push_back(more(std::string(1, c)));
        single.push_back(end(""));
        cases.push_back({"8.1", "a fragment for each byte", single, {shown("text", good)}});
    }
    // Characters that stand for none, and their neighbours, are text all the same (Autobahn 6.20 to 6.23).
    for (const char* good : {"\xEF\xBF\xBD", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xEF\xB7\x90", "\xEF\xB7\xAF", "\xF0\x9F\xBF\xBE", "\xF0\x9F\xBF\xBF",
            "\xF0\xAF\xBF\xBE", "\xF0\xBF\xBF\xBF", "\xF1\x8F\xBF\xBE", "\xF1\x9F\xBF\xBF", "\xF1\xAF\xBF\xBE", "\xF1\xBF\xBF\xBF", "\xF2\x8F\xBF\xBE",
            "\xF2\x9F\xBF\xBF", "\xF2\xAF\xBF\xBE", "\xF2\xBF\xBF\xBF", "\xF3\x8F\xBF\xBE", "\xF3\x9F\xBF\xBF", "\xF3\xAF\xBF\xBE", "\xF3\xBF\xBF\xBF",
            "\xF4\x8F\xBF\xBE", "\xEE\x80\x80", "\x7F", "\xED\x9F\xBF"})
        cases.push_back({"8.1", "a code point that is no character", {text(good)}, {shown("text", good)}});
    // A fault in the first frame is said before the second comes, one in the middle of a frame before its end (Autobahn 6.3, 6.4).
    cases.push_back({"8.1", "fail fast: at the fault, not at the message's end", {text(kGreek + "\xED\xA0\x80", false)}, {"fail(1007)"}});
    cases.push_back({"8.1", "fail fast: beyond U+10FFFF in the second fragment", {text(kGreek, false), with(more("\xF4\x90"), [](Frame& f) { f.announced = 50; })}, {"fail(1007)"}});
    cases.push_back({"8.1", "fail fast: surrogate in the second fragment", {text(kGreek, false), with(more("\xED\xA0"), [](Frame& f) { f.announced = 50; })}, {"fail(1007)"}});
    for (const char* bad : {"\x80", "\xBF", "\x80\xBF", "\x80\xBF\x80\xBF\x80", "\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF8\x80\x80\x80\x80", "\xFC\x80\x80\x80\x80\x80", "\xFD\xBF\xBF\xBF\xBF\xBF", "\xF7\xBF\xBF\xBF", "\xED\xAF\xBF", "\xED\xB0\x80", "\xED\xAD\xBF\xED\xBF\xBF", "\xFE\xFE\xFF\xFF", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\xAF",
            "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xC2\x41", "\xE2\x82\x41", "\xF0\x9F\x98\x41"}) {
        cases.push_back({"8.1", "text not in UTF-8", {text(bad), text("late")}, {"fail(1007)"}});
        cases.push_back({"8.1", "after good text", {text("good"), text(of(70) + bad + of(70))}, {"text(good)", "fail(1007)"}});
        cases.push_back({"8.1", "said in an unfinished message", {text("a", false), more(bad)}, {"fail(1007)"}});
        cases.push_back({"8.1", "said in an unfinished frame", {with(text(bad), [](Frame& f) { f.announced = 1000; })}, {"fail(1007)"}});
    }
    for (const char* cut : {"\xC2", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
        cases.push_back({"8.1", "text ends inside a character", {text(cut)}, {"fail(1007)"}});
        cases.push_back({"8.1", "fragments end inside a character", {text("a", false), more(cut), end("")}, {"fail(1007)"}});
        cases.push_back({"8.1", "it may not go on in the next message", {text(std::string("a") + cut), text("\x80")}, {"fail(1007)"}});
        cases.push_back({"8.1", "not yet wrong", {text(cut, false), ping("p")}, {"ping(p)"}});
    }
    cases.push_back({"8.1", "the state is a message's", {text(kEuro, false), end(kEmoji), text(kGreek)}, {shown("text", kEuro + kEmoji), shown("text", kGreek)}});
    cases.push_back({"8.1", "fragments of binary are not looked at", {binary("\xFF", false), end("\xC0")}, {"binary(\xFF\xC0)"}});
    cases.push_back({"8.1", "text after such binary", {binary("\xE2", false), end(""), text("\x82\xAC")}, {"binary(\xE2)", "fail(1007)"}});
}
// RFC 7692 section 6. Nothing is inflated here: the octets are any.
void add_deflate_cases(std::vector<FrameCase>& cases) {
    const auto rsv1 = [](Frame frame) { frame.rsv = 0x40; return frame; };
    const auto add = [&](const char* section, const char* name, std::vector<Frame> frames, Events events) {
        cases.push_back({section, name, std::move(frames), std::move(events), true});
    };
    for (const std::size_t n : {0, 1, 125, 126, 300})
        add("7692-6.1", "compressed message of one frame", {rsv1(text(of(n))), rsv1(binary(of(n)))}, {shown("deflated text", of(n)), shown("deflated binary", of(n))});
    add("7692-6.1", "plain message on a connection that compresses", {text("a"), rsv1(text("b")), binary("c")}, {"text(a)", "deflated text(b)", "binary(c)"});
    add("7692-6.1", "compressed message of three frames", {rsv1(binary("a", false)), more("b"), end("c")}, {"deflated binary(abc)"});
    add("7692-6.1", "plain message of two frames", {text("a", false), end("b"), rsv1(text("c"))}, {"text(ab)", "deflated text(c)"});
    add("7692-6.1", "empty frames of a compressed message", {rsv1(text("", false)), more(""), end("")}, {"deflated text()"});
    add("7692-6.1", "control frames between compressed fragments", {rsv1(text("a", false)), ping("p"), end("b"), pong("q")}, {"ping(p)", "deflated text(ab)", "pong(q)"});
    add("7692-6.1", "compressed octets are not text yet", {rsv1(text("\xFF\xC0"))}, {"deflated text(\xFF\xC0)"});
    add("7692-6.1", "plain text after compressed octets", {rsv1(text("\xFF\xC3")), text("\xFF")}, {"deflated text(\xFF\xC3)", "fail(1007)"});
    add("7692-6.1", "RSV1 on a continuation", {rsv1(text("a", false)), rsv1(end("b"))}, {"fail(1002)"});
    add("7692-6.1", "RSV1 on a plain message's continuation", {text("a", false), rsv1(end("b"))}, {"fail(1002)"});
    add("7692-6.1", "RSV1 on ping", {rsv1(ping("a"))}, {"fail(1002)"});
    add("7692-6.1", "RSV1 on pong", {rsv1(pong("a"))}, {"fail(1002)"});
    add("7692-6.1", "RSV1 on close", {rsv1(close(1000))}, {"fail(1002)"});
    for (const unsigned rsv : {0x20u, 0x10u, 0x60u, 0x50u, 0x70u})
        add("7692-6.1", "the other reserved bits", {with(text("x"), [](Frame&) {}), {.opcode = 1, .payload = "x", .rsv = rsv}}, {"text(x)", "fail(1002)"});
    add("7692-6.1", "limit of compressed octets", {with(rsv1(text("x")), [](Frame& f) { f.announced = kFrameCaseLimit + 1; })}, {"fail(1009)"});
    add("7692-6.1", "new compressed message inside a compressed message", {rsv1(text("a", false)), rsv1(text("b"))}, {"fail(1002)"});
}

// clang-format on

}  // namespace

const std::vector<FrameCase>& frame_cases() {
    static const std::vector<FrameCase> all = [] {
        std::vector<FrameCase> cases;
        add_data_cases(cases);
        add_length_cases(cases);
        add_reserved_cases(cases);
        add_fragment_cases(cases);
        add_control_cases(cases);
        add_close_cases(cases);
        add_utf8_cases(cases);
        add_deflate_cases(cases);
        return cases;
    }();
    return all;
}

std::string test_name(Role role, const FrameCase& c, std::size_t index) {
    std::string name = std::string(role == Role::kServer ? "Server_" : "Client_") + c.section + "_" + c.name +
                       "_" + std::to_string(index);
    for (char& letter : name)
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    return name;
}

}  // namespace millrace::ws::test
