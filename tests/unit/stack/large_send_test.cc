// Large sends through a driver that has them: virtio's, whose other end is DPDK's vhost in the same process.
// It shows what a host is handed by its guest, large packets whole, to be cut behind each tso_segsz bytes.

#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <unistd.h>

#include <numeric>
#include <string>
#include <thread>

#include "netstack/base/clock.h"
#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"
#include "tests/unit/stack/network.h"

namespace millrace::net {
namespace {

using test::Octets;

constexpr std::size_t kIp = 14, kTcp = kIp + 20, kPayload = kTcp + 32;  // with timestamps
constexpr std::size_t kMss = 1448;

std::uint32_t word(const Octets& bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 8 | bytes[at + 1];
}

IpAddress address(const Octets& frame, std::size_t at) {
    return Ipv4{word(frame, at) << 16 | word(frame, at + 2)};
}

// What the host puts on the wire of a guest's large packet.
std::vector<Octets> cut(const Octets& whole) {
    EXPECT_EQ(word(whole, kIp + 2), whole.size() - kIp);
    EXPECT_EQ(test::rfc1071(Octets(whole.begin() + kIp, whole.begin() + kTcp)), 0) << "IPv4 checksum";
    const IpAddress source = address(whole, kIp + 12), destination = address(whole, kIp + 16);
    std::vector<Octets> frames;
    for (std::size_t at = kPayload; at < whole.size(); at += kMss) {
        const auto from = whole.begin() + static_cast<long>(at);
        Octets segment(whole.begin() + kTcp, whole.begin() + kPayload);
        segment.insert(segment.end(), from,
                       whole.begin() + static_cast<long>(std::min(at + kMss, whole.size())));
        const std::uint32_t sequence =
            (word(segment, 4) << 16 | word(segment, 6)) + static_cast<std::uint32_t>(at - kPayload);
        test::set16(segment, 4, sequence >> 16);
        test::set16(segment, 6, sequence & 0xffff);
        test::set16(segment, 16, 0);
        test::set16(segment, 16, test::l4_checksum(source, destination, 6, segment));
        Octets frame(whole.begin(), whole.begin() + kIp);
        test::append(frame, test::ipv4(source, destination, 6, segment));
        frames.push_back(std::move(frame));
    }
    return frames;
}

bool link_up(const char* device) {
    std::uint16_t port = 0;
    rte_eth_link link{};
    return rte_eth_dev_get_port_by_name(device, &port) == 0 && rte_eth_link_get_nowait(port, &link) == 0 &&
           link.link_status == RTE_ETH_LINK_UP;
}

class VirtioTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char directory[] = "/tmp/millrace-virtio-XXXXXX";
        ASSERT_NE(mkdtemp(directory), nullptr);
        directory_ = directory;
        const std::string socket = directory_ + "/socket";
        auto far = Port::open({.device = "net_vhost0,iface=" + socket + ",tso=1", .descriptors = 256});
        if (!far) GTEST_SKIP() << far.error().message;
        far_.emplace(std::move(*far));
        auto near = Port::open({.device = "net_virtio_user0,path=" + socket, .descriptors = 256});
        if (!near) GTEST_SKIP() << near.error().message;
        near_.emplace(std::move(*near));
        for (int tries = 0; tries < 10'000 && !(link_up("net_vhost0") && link_up("net_virtio_user0"));
             ++tries)
            std::this_thread::sleep_for(1ms);
        ASSERT_TRUE(link_up("net_vhost0") && link_up("net_virtio_user0"));
    }
    void TearDown() override {
        near_.reset();
        far_.reset();
        rmdir(directory_.c_str());
    }

    // What has arrived at the host's end, as the guest's peer would see it.
    std::vector<rte_mbuf*> arrived() {
        std::array<rte_mbuf*, 16> burst;
        std::vector<rte_mbuf*> frames;
        const unsigned n = far_->queue(0).receive(burst);
        for (unsigned i = 0; i < n; ++i) {
            if (burst[i]->pkt_len <= kPayload + kMss) {
                frames.push_back(burst[i]);
                continue;
            }
            ++large_;
            for (const Octets& frame : cut(test::bytes_of(burst[i])))
                frames.push_back(pool_.mbuf(frame));
            release(burst[i]);
        }
        return frames;
    }

    std::string directory_;
    test::TestPool pool_{4096};
    std::optional<Port> far_, near_;
    unsigned large_ = 0;
};

TEST_F(VirtioTest, LargeSendsPassWholeAndArriveAsSegments) {
    ASSERT_GT(near_->offloads().large_send, 1u) << near_->describe();
    auto guest = DpdkCarrier::create(test::config_of("10.0.0.1/24"), *near_, 0, nullptr);
    ASSERT_TRUE(guest);
    Rss rss(1);
    auto peer = Stack::create(test::config_of("10.0.0.2/24"),
                              {.mac = far_->mac(), .offloads = {.transmit_chains = true}, .rss = &rss});
    ASSERT_TRUE(peer);
    const SocketAddress server{Ipv4{0x0a000002}, 80};
    ASSERT_TRUE((*peer)->tcp().listen(server));

    std::vector<std::byte> sent(300'000);
    for (std::size_t i = 0; i < sent.size(); ++i)
        sent[i] = static_cast<std::byte>(i * 7 + i / 251);
    std::vector<std::byte> received;
    const TscClock clock;
    ASSERT_NE((*guest)->connect(server, clock.now()), kNoConn);
    for (int turns = 0; turns < 1'000'000 && received.size() < sent.size(); ++turns) {
        for (tcp::Event& event : (*guest)->poll(clock.now())) {
            if (event.kind != EventKind::kConnected) continue;
            EXPECT_TRUE(test::append(**guest, event.conn, sent));
        }
        (*guest)->flush(clock.now());

        (*peer)->begin_poll();
        for (rte_mbuf* frame : arrived())
            (*peer)->receive({&frame, 1}, clock.now());
        (*peer)->run_timers(clock.now());
        for (tcp::Event& event : (*peer)->events()) {
            const auto bytes = event.bytes.bytes();
            received.insert(received.end(), bytes.begin(), bytes.end());
        }
        (*peer)->flush(clock.now());
        (*peer)->sent(far_->queue(0).transmit((*peer)->outgoing()));
    }
    EXPECT_TRUE(received == sent);
    EXPECT_GT(large_, 5u);
    (*peer)->begin_poll();
}

}  // namespace
}  // namespace millrace::net
