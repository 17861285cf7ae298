// Whole packet sequences against live connections. The input is a program: segments whose numbers are meant
// relative to what the connection expects, so that mutations stay near the edges of windows; raw options; the
// application's calls; time; mbufs that run short. After every step the state is inspected from inside, what
// was sent is the application's stream, and in the end nothing is left.
//
// Input: three bytes of choices (the peer's options, windows), then steps: one byte for what and for whom,
// and what that step takes.

#include <optional>
#include <vector>

#include "netstack/port/pools.h"
#include "netstack/tcp/tcp.h"
#include "tests/fuzz/eal.h"
#include "tests/fuzz/program.h"
#include "tests/sim/invariants.h"
#include "tests/sim/stream.h"

namespace {

using namespace millrace;
using namespace millrace::tcp;
using fuzz::Program;
using fuzz::require;

constexpr SocketAddress kOurs{net::Ipv4{0x0a000001}, 80};
constexpr net::Ipv4 kPeer{0x0a000002};
constexpr unsigned kConnections = 4;
const sim::Stream kStream(1);

struct Pools {
    net::Pool data = *net::Pool::create({.purpose = "data", .mbufs = 127, .private_bytes = kTxPrivateBytes});
    net::Pool headers = *net::Pool::create({.purpose = "headers",
                                            .mbufs = 63,
                                            .data_room = Tcp::kHeaderPoolRoom,
                                            .private_bytes = kTxPrivateBytes});
    net::Pool receive = *net::Pool::create({.purpose = "receive", .mbufs = 255});
};

Pools& pools() {
    static Pools made;
    return made;
}

// What the application and the peer know of one slot's connection.
struct Slot {
    bool alive = false;
    bool closed = false;
    std::uint64_t written = 0;
    std::optional<Seq> first = {};  // of our stream, once established
};

class Machine {
  public:
    explicit Machine(Program& program) : program_(program) {
        const std::uint8_t choices = program.byte();
        timestamps_ = choices & 1;
        window_scale_ = choices & 2 ? choices >> 4 : -1;
        sack_ = choices & 4;
        mss_ = static_cast<std::uint16_t>(choices & 8 ? 1460 : program.byte() * 6);
        Config config;
        config.max_connections = kConnections;
        config.max_half_open = 2;
        config.receive_window = 1500u << program.byte() % 8;
        config.max_reassembly = 64 * 2048;
        config.send_limit = 40'000;
        config.secret = {1, 2};
        tcp_ = *Tcp::create(config, pools().data.get(), pools().headers.get(), {{kOurs.ip, 1}}, rss_, 0);
        inspector_.emplace(*tcp_);
        require(tcp_->listen(kOurs).has_value(), "no listener");
    }

    void run() {
        while (!program_.ended()) {
            const std::uint8_t step = program_.byte();
            target_ = ConnId{step % kConnections};
            take(step / kConnections % 16);
        }
        end();
    }

  private:
    Slot& slot() { return slots_[net::index(target_)]; }
    const Connection& connection() const { return tcp_->connection(target_); }
    bool alive() { return slot().alive; }

    void take(unsigned what) {
        switch (what) {
            case 0:
            case 1:
            case 2:
                segment(what == 0);
                break;
            case 3:
                syn();
                break;
            case 4:
                connect();
                break;
            case 5:
                now_ += std::chrono::microseconds(std::uint64_t{1} << program_.byte() % 34);
                break;
            case 6:
                write(program_.word() % 6000, false);
                break;
            case 7:
                write(program_.word() % 6000, true);
                break;
            case 8:
                if (!alive()) break;
                slot().closed = true;
                tcp_->close(target_);
                break;
            case 9:
                if (!alive()) break;
                slot() = {};
                tcp_->abort(target_);
                break;
            case 10:
                if (alive()) tcp_->pause(target_);
                break;
            case 11:
                if (alive()) tcp_->resume(target_);
                break;
            case 12:
                drought();
                break;
            case 13:
                icmp();
                break;
            case 14:
                raw();
                break;
            default:
                if (alive()) tcp_->set_timer(target_, now_ + std::chrono::milliseconds(program_.word()));
                break;
        }
        if (program_.byte() % 4 != 0 || what > 3) poll();  // else the next one comes in the same burst
    }

    // --- what arrives ---

    // A segment of the connection in the slot, off by what the program says. `usual`: in order, acknowledging
    // all.
    void segment(bool usual) {
        const Connection& c = connection();
        if (c.state == State::kFree || c.state == State::kAborted) return;
        Seq seq = c.rcv_nxt;
        Seq ack = c.snd_nxt;
        std::uint8_t flags = kAck;
        std::uint16_t window = 0xffff;
        if (!usual) {
            const std::uint8_t from = program_.byte();
            if (from & 1) seq = c.rcv_adv;
            if (from & 2) ack = c.snd_una;
            if (from & 4) seq = seq + static_cast<std::uint32_t>(static_cast<std::int16_t>(program_.word()));
            if (from & 8) ack = ack + static_cast<std::uint32_t>(static_cast<std::int16_t>(program_.word()));
            if (from & 16) flags = program_.byte();
            if (from & 32) window = program_.word();
            if (from & 64) seq = Seq{program_.dword()};
            if (from & 128) ack = Seq{program_.dword()};
        }
        std::uint8_t options[40];
        const std::size_t option_bytes = write_options(c, options);
        const std::size_t length = program_.byte() * 6u;
        arrive(tcp_->peer(target_), tcp_->local(target_), seq, ack, flags, window, {options, option_bytes},
               length);
    }

    std::size_t write_options(const Connection& c, std::uint8_t* at) {
        const std::uint8_t kind = program_.byte();
        std::size_t bytes = 0;
        if ((kind & 3) == 0 && c.has(kTimestamps))
            bytes += write_timestamps(at, c.ts_recent + (kind >> 4), echo_ + (kind >> 2 & 3) - 1);
        if ((kind & 3) == 1) {  // SACK blocks, about what was sent (RFC 2018)
            const unsigned blocks = 1 + (kind >> 2 & 1);
            at[0] = at[1] = 1;
            at[2] = 5;
            at[3] = static_cast<std::uint8_t>(2 + 8 * blocks);
            for (unsigned i = 0; i < blocks; ++i) {
                const std::uint32_t left = c.snd_una.value + program_.word() - 100u;
                const std::uint32_t edges[2] = {rte_cpu_to_be_32(left),
                                                rte_cpu_to_be_32(left + program_.word() - 8u)};
                std::memcpy(at + 4 + 8 * i, edges, sizeof edges);
            }
            bytes = 4 + 8 * blocks;
        }
        if ((kind & 3) == 2) {
            const auto raw = program_.bytes(kind >> 2 & 28);
            std::copy(raw.begin(), raw.end(), at);
            bytes = raw.size() / 4 * 4;
        }
        return bytes;
    }

    void syn() {
        const std::uint8_t which = program_.byte();
        Options options{.ts_value = 1000u + which,
                        .mss = mss_,
                        .window_scale = static_cast<std::uint8_t>(std::max(window_scale_, 0)),
                        .has_timestamps = timestamps_,
                        .has_window_scale = window_scale_ >= 0,
                        .sack_permitted = sack_};
        std::uint8_t written[40];
        const std::uint16_t bytes = write_syn_options(written, options);
        const SocketAddress from{kPeer, static_cast<std::uint16_t>(1000 + which % 8)};
        arrive(from, kOurs, Seq{which * 0x11111111u}, Seq{0}, kSyn, program_.word(), {written, bytes}, 0);
    }

    void raw() {
        rte_mbuf* packet = rte_pktmbuf_alloc(pools().receive.get());
        if (packet == nullptr) return;
        const auto bytes = program_.bytes(20 + program_.byte());
        std::memcpy(rte_pktmbuf_append(packet, static_cast<std::uint16_t>(bytes.size())), bytes.data(),
                    bytes.size());
        if (bytes.size() < kMinHeader) return rte_pktmbuf_free(packet);  // as IpInput does
        input(packet, kPeer);
    }

    void arrive(SocketAddress from, SocketAddress to, Seq seq, Seq ack, std::uint8_t flags,
                std::uint16_t window, std::span<const std::uint8_t> options, std::size_t length) {
        rte_mbuf* packet = rte_pktmbuf_alloc(pools().receive.get());
        if (packet == nullptr) return;
        const auto header_bytes = static_cast<std::uint16_t>(kMinHeader + options.size());
        auto* header = reinterpret_cast<rte_tcp_hdr*>(
            rte_pktmbuf_append(packet, static_cast<std::uint16_t>(header_bytes + length)));
        *header = {.src_port = rte_cpu_to_be_16(from.port),
                   .dst_port = rte_cpu_to_be_16(to.port),
                   .sent_seq = rte_cpu_to_be_32(seq.value),
                   .recv_ack = rte_cpu_to_be_32(ack.value),
                   .data_off = static_cast<std::uint8_t>(header_bytes / 4 << 4),
                   .tcp_flags = flags,
                   .rx_win = rte_cpu_to_be_16(window)};
        std::copy(options.begin(), options.end(), reinterpret_cast<std::uint8_t*>(header + 1));
        std::memset(rte_pktmbuf_mtod_offset(packet, char*, header_bytes), 'x', length);
        input(packet, from.ip);
    }

    void input(rte_mbuf* packet, net::IpAddress from) {
        tcp_->input(packet, from, kOurs.ip, tcp_->flow_hash(packet, from, kOurs.ip), now_);
    }

    void icmp() {
        if (connection().state == State::kFree) return;
        const std::uint8_t kind = program_.byte();
        const std::uint32_t quoted = connection().snd_una.value + (kind >> 2) - 1u;
        if (kind & 1)
            tcp_->unreachable(tcp_->local(target_), tcp_->peer(target_), quoted, now_);
        else
            tcp_->path_mtu(tcp_->local(target_), tcp_->peer(target_), program_.word(), quoted, now_);
    }

    // --- the application ---

    void connect() {
        const SocketAddress to{kPeer, static_cast<std::uint16_t>(2000 + program_.byte() % 4)};
        const ConnId id = tcp_->connect(to, now_);
        if (id == net::kNoConn) return;
        require(!slots_[net::index(id)].alive, "connect() gave a slot in use");
        slots_[net::index(id)] = {.alive = true};
    }

    void write(std::size_t size, bool by_reference) {
        if (!alive() || slot().closed) return;
        if (by_reference) {
            std::vector<std::byte> bytes(size);
            kStream.write(slot().written, bytes);
            const auto shared = tcp_->make_shared(bytes);
            if (shared && tcp_->append(target_, shared)) slot().written += size;
            return;
        }
        if (!tcp_->prepare(target_, size)) return;
        for (std::size_t left = size; left > 0;) {
            const auto room = tcp_->room(target_);
            const std::size_t part = std::min(room.size(), left);
            require(part > 0, "prepared bytes have no room");
            kStream.write(slot().written, room.first(part));
            tcp_->commit(target_, part);
            slot().written += part;
            left -= part;
        }
    }

    void drought() {
        const std::uint8_t kind = program_.byte();
        if (!withheld_.empty()) return give_back();
        rte_mempool* pool = kind & 1 ? pools().data.get() : pools().headers.get();
        while (rte_mempool_avail_count(pool) > kind / 2 % 8u)
            withheld_.push_back(rte_pktmbuf_alloc(pool));
    }

    void give_back() {
        for (rte_mbuf* packet : withheld_)
            rte_pktmbuf_free(packet);
        withheld_.clear();
    }

    // --- a poll ---

    void poll() {
        tcp_->run_timers(now_);
        for (Event& event : tcp_->events())
            handle(event);
        flush();
        const std::string wrong = inspector_->check();
        require(wrong.empty(), wrong.c_str());
        tcp_->begin_poll();
        now_ += 1us;
    }

    void handle(const Event& event) {
        Slot& s = slots_[net::index(event.conn)];
        if (event.kind == EventKind::kAccepted) {
            require(!s.alive, "accepted on a slot in use");
            s = {.alive = true};
        }
        if (event.kind == EventKind::kAccepted || event.kind == EventKind::kConnected)
            s.first = tcp_->connection(event.conn).snd_una;
        if (event.kind == EventKind::kClosed) s = {};
    }

    void flush() {
        bool more = true;
        while (more) {
            more = tcp_->flush(now_);
            for (const TxSegment& segment : tcp_->segments())
                sent(segment);
            tcp_->clear_segments();
        }
    }

    // The bytes of every segment are the stream's.
    void sent(const TxSegment& segment) {
        require(rte_pktmbuf_headroom(segment.packet) >= net::kLinkHeadroom, "no room for the headers below");
        Segment read;
        require(parse_segment(segment.packet, read), "a malformed segment was sent");
        require(read.header_bytes == segment.header_bytes, "a header of another length");
        if (read.options.has_timestamps) echo_ = read.options.ts_value;
        if (read.length > 0) check_payload(read, segment);
        rte_pktmbuf_free(segment.packet);
    }

    void check_payload(const Segment& read, const TxSegment& segment) {
        const auto* header = rte_pktmbuf_mtod(segment.packet, const rte_tcp_hdr*);
        const SocketAddress local{segment.source, rte_be_to_cpu_16(header->src_port)};
        const SocketAddress remote{segment.destination, rte_be_to_cpu_16(header->dst_port)};
        for (unsigned i = 0; i < kConnections; ++i) {
            const ConnId id{i};
            if (!slots_[i].first || tcp_->peer(id) != remote || tcp_->local(id) != local) continue;
            std::uint64_t position = read.seq - *slots_[i].first;
            require(position + read.length <= slots_[i].written, "more was sent than was written");
            std::size_t skip = read.header_bytes;
            for (const rte_mbuf* part = segment.packet; part != nullptr; part = part->next) {
                const std::span bytes(rte_pktmbuf_mtod_offset(part, const std::byte*, skip),
                                      part->data_len - skip);
                require(kStream.matches(position, bytes), "other bytes were sent than were written");
                position += bytes.size();
                skip = 0;
            }
        }
    }

    // --- the end ---

    void end() {
        give_back();
        poll();  // the last burst
        for (unsigned i = 0; i < kConnections; ++i)
            if (slots_[i].alive) tcp_->abort(ConnId{i});
        for (unsigned polls = 0;; ++polls) {
            poll();
            const Time next = tcp_->next_timer();
            if (next == kNever) break;
            require(polls < 10'000, "it does not come to rest");
            now_ = std::max(now_, next);
        }
        require(tcp_->connections() == 0 && tcp_->in_time_wait() == 0 && tcp_->table_size() == 0,
                "connections are left");
        require(tcp_->timers_armed() == 0 && tcp_->send_queues() == 0 && tcp_->reassemblies() == 0,
                "state is left");
        require(
            pools().data.bytes_in_use() + pools().headers.bytes_in_use() + pools().receive.bytes_in_use() ==
                0,
            "mbufs are left");
    }

    Program& program_;
    net::Rss rss_{1};
    std::unique_ptr<Tcp> tcp_;
    std::optional<Inspector> inspector_;
    Time now_{1h};
    ConnId target_{};
    bool timestamps_, sack_;
    int window_scale_;
    std::uint16_t mss_;
    std::uint32_t echo_ = 0;
    Slot slots_[kConnections];
    std::vector<rte_mbuf*> withheld_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Program program(data, size);
    Machine(program).run();
    return 0;
}
