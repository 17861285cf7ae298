#pragma once
// An endpoint is the engine of one shard: it takes its carrier's events, runs handshakes and sessions, and
// calls the application's handlers. Servers and clients are the same endpoint; a connection has its role.
//
// The way of received bytes, one file after another:
//     opening.h    HTTP head -> 101 (server); response head -> open (client)
//     answering.h  requests that open no WebSocket -> their content read past, pages
//     receiving.h  frames -> messages, control frames; input held back when there is no room for answers
//     deflating.h  compressed messages, both ways
//     sending.h    messages -> frames in the outgoing segment
//     progress.h   peers that do not go on with what they have begun, or do not read
//     keep_alive.h peers that are silent
//     closing.h    Close frames both ways, failures, timeouts, the end of the connection
//
// The shard's loop is in shard.h. Nothing here is shared with another shard.

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/deflate/compression.h"
#include "engine/endpoint/chains.h"
#include "engine/endpoint/client_target.h"
#include "engine/endpoint/config.h"
#include "engine/endpoint/counters.h"
#include "engine/endpoint/frame_writer.h"
#include "engine/endpoint/message.h"
#include "engine/endpoint/refusals.h"
#include "engine/endpoint/routes.h"
#include "engine/endpoint/slot.h"
#include "engine/endpoint/websocket.h"
#include "engine/handshake/handshake.h"
#include "engine/handshake/tunnel.h"
#include "engine/http/date.h"
#include "engine/http/exchange.h"
#include "engine/http/message.h"
#include "engine/http/target.h"
#include "engine/http/writer.h"
#include "engine/mask/key_source.h"
#include "engine/proxy/proxy_protocol.h"
#include "engine/session/carry_pool.h"
#include "engine/session/session.h"
#include "engine/tls/hello.h"
#include "netstack/carrier.h"

namespace millrace {

template <net::Carrier C, class... Handlers>
class Endpoint {
  public:
    using Event = net::Event<typename C::Bytes>;
    using Shared = typename C::Shared;
    template <class Handler>
    using Socket = WebSocket<Endpoint, Handler>;

    // `carrier` outlives the endpoint.
    static Expected<std::unique_ptr<Endpoint>> create(C& carrier, const EndpointConfig& config,
                                                      App<Handlers...> app);
    ~Endpoint();

    // --- the loop ---
    void handle(std::span<Event> events, Time now);
    // Once a poll: connections that wait for room or are silent, handlers that ask to be, and the drain in
    // progress. Bounded work.
    void tick(Time now);

    // --- client ---
    // The connections opened to `target` are given to `handler`. At most 256 targets.
    template <class Handler>
    std::uint8_t add_target(ClientTarget target);
    // on_open or on_failed follows. kNoConn when the carrier has no slot or port left.
    net::ConnId connect(net::SocketAddress address, std::uint8_t target, Time now);

    // --- an application's reach outside its callbacks ---
    template <class Handler>
    Socket<Handler> socket(net::ConnId id) {
        return {*this, id};
    }
    template <class Handler>
    typename Handler::State& state(net::ConnId id);
    template <class Handler>
    Handler& handler();
    C& carrier() { return carrier_; }
    unsigned shard() const { return config_.shard; }
    // Fetches what a message to or from it touches, for an application that goes over many of them.
    void prefetch(net::ConnId id) const;
    // By the PROXY protocol and the forwarded fields, where the configuration trusts them; else the
    // carrier's.
    net::SocketAddress peer(net::ConnId id) const {
        return peers_.data() != nullptr ? peers_[net::index(id)] : carrier_.peer(id);
    }
    // Refused requests are written there from now on; `log` outlives the endpoint.
    void log_refusals(RefusalLog& log) { refusals_ = &log; }
    // The time of the poll that is going on.
    Time now() const { return now_; }
    // A whole frame, unmasked, to be sent to many with WebSocket::send_shared (server role only). Empty when
    // the carrier's pool is dry.
    Shared encode(ws::Opcode opcode, std::span<const std::byte> payload);

    // --- the end ---
    // Stops listening and closes every connection with `code`, a bounded number a tick.
    void drain(ws::CloseCode code, Time now);
    bool drained() const { return draining_ && slots_in_use_ == 0; }

    const EndpointCounters& counters() const { return counters_; }
    // Opened, opening or closing.
    std::size_t connections() const { return slots_in_use_; }
    // What an idle connection keeps, in bytes, with its carrier's part and the largest of the handlers'
    // states.
    static constexpr std::size_t idle_bytes();
    // Takes the memory of so many idle connections now, not as they come: none of them waits for the kernel
    // to find some. For set-up.
    void populate(std::size_t connections);
    // Bytes that sessions, messages under assembly and the handlers' states hold now. Not for the hot path.
    std::size_t memory_in_use() const;

  private:
    template <class, class>
    friend class WebSocket;

    // --- the application's handlers, found by index ---
    template <class Call>
    void with_handler(std::uint8_t index, Call&& call);
    template <class Handler>
    static constexpr std::size_t index_of();

    void poll_handlers();
    Expected<void> start_handlers();

    Slot& slot(net::ConnId id) { return slots_[net::index(id)]; }
    void handle_one(Event& event);
    void prefetch_own(net::ConnId id) const;
    // The carrier has TLS on it, and has read what the PROXY protocol says in front of that.
    bool secured(net::ConnId id) const;
    void accepted(net::ConnId id);
    void connected(net::ConnId id, Slot& slot);

    // --- opening.h ---
    std::span<std::byte> on_head_bytes(net::ConnId id, Slot& slot, std::span<std::byte> in);
    void on_head(net::ConnId id, Slot& slot, std::span<std::byte>& in);
    std::optional<std::size_t> parse_head(net::ConnId id, Slot& slot, std::span<std::byte> head);
    void on_request(net::ConnId id, Slot& slot, std::span<std::byte> head, std::span<std::byte>& in);
    void on_response(net::ConnId id, Slot& slot, std::span<const std::byte> received);
    void on_tunnel_response(net::ConnId id, Slot& slot, std::span<const std::byte> received);
    void send_request(net::ConnId id, Slot& slot);
    OpeningFailure not_opened(std::string_view why, std::span<const std::byte> received) const;
    void upgrade(net::ConnId id, Slot& slot, ws::Judgement judgement);
    void on_proxy_header(net::ConnId id, Slot& slot, std::span<std::byte>& in);
    Access authorise(net::ConnId id, const Slot& slot, std::string_view subprotocol);
    void deny(net::ConnId id, Slot& slot, const Access& access);
    void note_refusal(net::ConnId id, int status, std::string_view why, const http::Request* request);
    void reject(net::ConnId id, Slot& slot, const ws::Judgement& judgement);
    static bool upgrades_at(const App<Handlers...>& app, std::string_view path, std::uint8_t& handler);
    bool worth_parsing(std::size_t before, std::span<const std::byte> fresh) const;
    std::span<const std::byte> out_bytes(std::size_t length) const {
        return std::as_bytes(std::span(out_.data(), length));
    }
    void refuse_hello(net::ConnId id, Slot& slot);
    net::ConnId open_connection(net::SocketAddress address, const ClientTarget& target, Time now);
    void opened(net::ConnId id, Slot& slot);
    void opening_failed(net::ConnId id, Slot& slot, std::string_view why);
    void opening_failed(net::ConnId id, Slot& slot, const OpeningFailure& failure);
    void tell_failure(net::ConnId id, std::uint8_t handler, const OpeningFailure& failure);
    std::array<char, 24> client_key_of(const Slot& slot) const;
    ws::ClientRequest client_request(const Slot& slot, std::string_view key);

    // --- answering.h ---
    void on_ordinary(net::ConnId id, Slot& slot, std::span<std::byte> head, std::span<std::byte>& in);
    void on_content(net::ConnId id, Slot& slot, std::span<std::byte>& in);
    void keep_request(net::ConnId id, Slot& slot, std::span<const std::byte> head);
    void answer_kept(net::ConnId id, Slot& slot);
    bool owes_answer(const Slot& slot) const;
    bool answer_page(net::ConnId id, Slot& slot);
    bool answer_without_page(net::ConnId id, Slot& slot);
    std::string_view page_path();
    bool answer(net::ConnId id, Slot& slot, http::ResponseHead head, std::string_view body);
    void await_request(net::ConnId id, Slot& slot, bool keep_alive);
    void refuse(net::ConnId id, Slot& slot, int status, std::string_view why);

    // --- receiving.h ---
    void received(net::ConnId id, Slot& slot, typename C::Bytes& bytes);
    std::span<std::byte> process(net::ConnId id, Slot& slot, std::span<std::byte> in);
    void on_frames(net::ConnId id, Slot& slot, std::span<std::byte> in);
    bool on_batch(net::ConnId id, Slot& slot, std::span<std::byte>& in);
    void on_data(net::ConnId id, Slot& slot, const ws::Step& step);
    void deliver(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts);
    bool has_room(net::ConnId id) const;
    bool may_read(net::ConnId id) const;
    bool waits_for_room(net::ConnId id, Slot& slot);
    void hold(net::ConnId id, Slot& slot, std::span<const std::byte> bytes);
    void process_held(net::ConnId id, Slot& slot);

    // --- deflating.h ---
    void on_compressed(net::ConnId id, Slot& slot, const ws::Step& step);
    template <class Inflate>
    bool inflate_into_chain(net::ConnId id, Slot& slot, ws::Opcode opcode, Inflate inflate);
    void fail_text(net::ConnId id, Slot& slot);
    bool write_compressed(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts, std::size_t payload);
    bool write_message(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts, std::size_t payload);

    // --- sending.h ---
    SendStatus send(net::ConnId id, ws::Opcode opcode, Parts parts);
    SendStatus send_shared(net::ConnId id, const Shared& frames, std::uint32_t messages);
    SendStatus send_encoded(net::ConnId id, std::span<const std::byte> frames, std::uint32_t messages);
    SendStatus sent_encoded(Slot& slot, std::uint32_t messages);
    bool send_control(net::ConnId id, const Slot& slot, ws::Opcode opcode, std::span<std::byte> payload);
    bool may_send(net::ConnId id, const Slot& slot) const;
    SendStatus refuse_send(net::ConnId id, Slot& slot);
    void wait_for_room(net::ConnId id, Slot& slot);
    void serve_waiting();
    bool serve_waiting_one(net::ConnId id, Slot& slot);
    std::optional<ws::MaskKey> mask_key(const Slot& slot);

    // --- progress.h ---
    std::uint8_t look_ticks() const;
    std::uint8_t ticks_since_look(const Slot& slot) const;
    void watch(net::ConnId id, Slot& slot, Watch what);
    void note_input(net::ConnId id, Slot& slot, std::size_t bytes, bool ended);
    void look(net::ConnId id, Slot& slot);
    bool goes_on(net::ConnId id, Slot& slot);
    bool goes_on_reading(net::ConnId id, Slot& slot);
    bool closes_slow_reader(net::ConnId id, Slot& slot);

    // --- keep_alive.h ---
    Duration sweep_period() const;
    void sweep();
    void keep_alive(net::ConnId id, Slot& slot);

    // --- closing.h ---
    bool close(net::ConnId id, ws::CloseCode code, std::string_view reason);
    void abort(net::ConnId id);
    bool send_close_frame(net::ConnId id, Slot& slot, ws::CloseCode code, std::string_view reason);
    void on_close_frame(net::ConnId id, Slot& slot, const ws::Step& step);
    void fail(net::ConnId id, Slot& slot, ws::CloseCode code, std::string_view why);
    void end_tcp(net::ConnId id, Slot& slot);
    void await_end(net::ConnId id, Slot& slot);
    void on_peer_closed(net::ConnId id, Slot& slot, net::CloseReason reason);
    std::string_view reason_text(net::ConnId id, net::CloseReason reason) const;
    void on_closed(net::ConnId id, Slot& slot, net::CloseReason reason);
    void on_timer(net::ConnId id, Slot& slot);
    void opening_timed_out(net::ConnId id, Slot& slot);
    void tell_app(net::ConnId id, Slot& slot, ws::CloseCode code, std::string_view reason);
    void free_slot(Slot& slot);
    void drain_some();

    Endpoint(C& carrier, const EndpointConfig& config, App<Handlers...> app, ReservedArray<Slot> slots,
             ChainPool chains, ws::CarryPool carries, ws::KeySource keys, ws::Compression compression);

    template <class Handler>
    static constexpr std::size_t state_size();

    C& carrier_;
    const EndpointConfig config_;
    App<Handlers...> app_;
    std::unordered_map<std::string_view, const Page*> pages_;  // of app_, the first of each path
    ReservedArray<Slot> slots_;
    std::array<ReservedArray<std::byte>, sizeof...(Handlers)> states_;
    ReservedArray<net::SocketAddress> peers_;  // where somebody may speak for others; else none
    ChainPool chains_;
    ws::CarryPool carries_;
    ws::SessionShared session_shared_;
    ws::KeySource keys_;
    ws::Compression compression_;
    EndpointCounters counters_;
    RefusalLog* refusals_ = nullptr;
    Time now_{};
    std::uint32_t now_ms_ = 0;
    std::size_t slots_in_use_ = 0;
    net::ConnId answering_ = net::kNoConn;  // whose input is being processed

    // Client targets, each with the handler of its connections.
    struct Target {
        ClientTarget what;
        std::vector<http::Field> fields;
        std::uint8_t handler;
    };
    std::deque<Target> targets_;

    // Scratch of one event; kept here so that nothing is allocated or cleared per message.
    http::Request request_;
    http::Response response_;
    std::vector<std::span<std::byte>> parts_;
    std::vector<char> out_;
    http::DateNow date_;

    std::vector<net::ConnId> waiting_;
    std::size_t waiting_cursor_ = 0;

    const Duration sweep_period_;  // zero: nobody is looked at
    Time next_sweep_{};
    std::size_t sweep_cursor_ = 0;

    bool draining_ = false;
    ws::CloseCode drain_code_{};
    std::size_t drain_cursor_ = 0;
    std::size_t highest_slot_ = 0;  // 1 + the highest index ever in use
};

}  // namespace millrace

#include "engine/endpoint/answering.h"
#include "engine/endpoint/deflating.h"
#include "engine/endpoint/dispatch.h"
#include "engine/endpoint/keep_alive.h"
#include "engine/endpoint/opening.h"
#include "engine/endpoint/progress.h"
#include "engine/endpoint/receiving.h"
#include "engine/endpoint/sending.h"
// (closing last: it is where every other file ends a connection)
#include "engine/endpoint/closing.h"
