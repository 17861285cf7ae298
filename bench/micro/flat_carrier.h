#pragma once
// A carrier that costs next to nothing, so that what is measured over it is the endpoint: every connection is
// there from the first poll, a poll hands the same bytes to each of them, and what is written goes into one
// buffer that is used again.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "netstack/carrier.h"

namespace millrace::bench {

class FlatBytes {
  public:
    FlatBytes() = default;
    explicit FlatBytes(std::span<std::byte> bytes) : bytes_(bytes) {}
    FlatBytes(FlatBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    FlatBytes& operator=(FlatBytes&& other) noexcept {
        bytes_ = std::exchange(other.bytes_, {});
        return *this;
    }
    std::span<std::byte> bytes() const { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

class FlatCarrier {
  public:
    using Bytes = FlatBytes;
    using Shared = std::shared_ptr<std::vector<std::byte>>;
    using Event = net::Event<Bytes>;

    explicit FlatCarrier(std::size_t connections)
        : input_(connections), events_(connections), out_((std::size_t{1} << 20) + 256 * connections) {
        for (std::size_t i = 0; i < connections; ++i)
            events_[i] = {net::ConnId{static_cast<std::uint32_t>(i)}, net::EventKind::kAccepted, {}, {}};
    }

    // From now on a poll yields `bytes` on every connection, each in memory of its own.
    void receive(std::span<const std::byte> bytes) {
        for (std::size_t i = 0; i < events_.size(); ++i) {
            input_[i].assign(bytes.begin(), bytes.end());
            events_[i].kind = net::EventKind::kReceived;
        }
    }
    std::uint64_t written() const { return written_; }
    std::span<const std::byte> last(std::size_t n) const { return std::span(out_).first(at_).last(n); }

    std::span<Event> poll(Time) {
        at_ = 0;
        for (std::size_t i = 0; i < events_.size(); ++i)
            if (events_[i].kind == net::EventKind::kReceived) events_[i].bytes = FlatBytes(input_[i]);
        return events_;
    }
    void flush(Time) {}
    Expected<void> listen(net::SocketAddress) { return {}; }
    void stop_listening() {}
    net::ConnId connect(net::SocketAddress, Time) { return net::kNoConn; }
    void close(net::ConnId) {}
    void abort(net::ConnId) { ++aborts; }
    bool prepare(net::ConnId, std::size_t n) { return out_.size() - at_ >= n; }
    std::span<std::byte> room(net::ConnId) { return std::span(out_).subspan(at_); }
    void commit(net::ConnId, std::size_t n) {
        at_ += n;
        written_ += n;
    }
    Shared make_shared(std::span<const std::byte> bytes) {
        return std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    }
    bool append(net::ConnId, const Shared& shared) {
        written_ += shared->size();
        return true;
    }
    template <class Visitor>
    void visit_shared(const Shared& shared, Visitor&& visitor) const {
        visitor(std::span<const std::byte>(*shared));
    }
    std::size_t unsent(net::ConnId) const { return 0; }
    void pause(net::ConnId) {}
    void resume(net::ConnId) {}
    void set_timer(net::ConnId, Time) {}
    void cancel_timer(net::ConnId) {}
    net::SocketAddress peer(net::ConnId) const { return {}; }
    net::SocketAddress local(net::ConnId) const { return {}; }
    std::size_t connections() const { return events_.size(); }
    std::size_t max_connections() const { return events_.size(); }
    static constexpr std::size_t idle_bytes() { return 0; }
    void populate(std::size_t) {}
    bool under_pressure() const { return false; }
    std::size_t memory_in_use() const { return 0; }
    template <class Visitor>
    void visit_counters(Visitor&&) const {}

    int aborts = 0;

  private:
    std::vector<std::vector<std::byte>> input_;
    std::vector<Event> events_;
    std::vector<std::byte> out_;
    std::size_t at_ = 0;
    std::uint64_t written_ = 0;
};

static_assert(net::Carrier<FlatCarrier>);

}  // namespace millrace::bench
