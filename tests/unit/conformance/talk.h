#pragma once
// Opening a WebSocket on a stage, and reading what its endpoint sends.

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/conformance/opening.h"
#include "tests/unit/conformance/stage.h"
#include "tests/unit/session/reference.h"

namespace millrace::conformance {

// `fields`: more of the peer's header lines. `answer`: where the endpoint's head is put.
template <class Stage>
bool open_websocket(Stage& stage, ws::Role role, std::string_view fields = "", std::uint8_t target = 0,
                    std::string* head = nullptr) {
    stage.open(target);
    if (role == ws::Role::kClient) {
        if (head) *head = stage.received();
        stage.send(upgrade_response(stage.received(), fields));
    } else {
        stage.send(upgrade_request(fields));
        if (!stage.until([&] { return stage.received().ends_with("\r\n\r\n"); })) return false;
        if (field_of(stage.received(), "Sec-WebSocket-Accept") != kExampleAccept) return false;
        if (head) *head = stage.received();
    }
    stage.forget();
    return stage.until([&] { return stage.heard.opens == 1; });
}

inline std::string bytes_of(const std::vector<ws::test::Frame>& frames, ws::Role to) {
    const auto wire = ws::test::wire_of(frames, to);
    return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

// What the endpoint has sent since, as its peer reads it.
template <class Stage>
ws::test::Events events_of(Stage& stage, ws::Role role, bool deflate = false) {
    const ws::Role reader = role == ws::Role::kServer ? ws::Role::kClient : ws::Role::kServer;
    return ws::test::reference_decode(std::as_bytes(std::span(stage.received())), reader, UINT32_MAX,
                                      deflate);
}

// Turns until the endpoint has sent `count` messages; they are read again only when more has come.
template <class Stage>
bool until_events(Stage& stage, ws::Role role, std::size_t count, bool deflate = false) {
    std::size_t seen = SIZE_MAX, events = 0;
    return stage.until([&] {
        if (stage.received().size() == seen) return events >= count;
        seen = stage.received().size();
        events = events_of(stage, role, deflate).size();
        return events >= count;
    });
}

// Cuts a message into fragments of at most `size`; 0: one frame.
inline std::vector<ws::test::Frame> fragments(unsigned opcode, std::string_view payload, std::size_t size,
                                              unsigned rsv = 0) {
    std::vector<ws::test::Frame> frames;
    do {
        const std::string_view part = payload.substr(0, size ? size : payload.size());
        payload.remove_prefix(part.size());
        frames.push_back({.opcode = frames.empty() ? opcode : 0,
                          .payload = std::string(part),
                          .fin = payload.empty(),
                          .rsv = frames.empty() ? rsv : 0});
    } while (!payload.empty());
    return frames;
}

}  // namespace millrace::conformance
