#pragma once
// Mbuf pools of a test, and the proof that all of them came home.

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <string>

#include "netstack/tcp/tcp.h"

namespace millrace::tcp::test {

class Pools {
  public:
    explicit Pools(unsigned data_mbufs = 4095, unsigned header_mbufs = 4095)
        : data_(make("data", data_mbufs, RTE_MBUF_DEFAULT_BUF_SIZE)),
          header_(make("header", header_mbufs, Tcp::kHeaderPoolRoom)) {}
    Pools(const Pools&) = delete;
    ~Pools() {
        EXPECT_EQ(missing(), 0u) << "mbufs were leaked";
        rte_mempool_free(data_);
        rte_mempool_free(header_);
    }

    rte_mempool* data() { return data_; }
    rte_mempool* header() { return header_; }
    unsigned missing() const { return rte_mempool_in_use_count(data_) + rte_mempool_in_use_count(header_); }

  private:
    static rte_mempool* make(const char* what, unsigned mbufs, std::uint16_t room) {
        static int number = 0;
        const std::string name = std::string("tcp-test-") + what + std::to_string(number++);
        rte_mempool* pool =
            rte_pktmbuf_pool_create(name.c_str(), mbufs, 0, kTxPrivateBytes, room, SOCKET_ID_ANY);
        if (pool == nullptr) throw std::runtime_error("no mempool for the test");
        return pool;
    }

    rte_mempool* data_;
    rte_mempool* header_;
};

}  // namespace millrace::tcp::test
