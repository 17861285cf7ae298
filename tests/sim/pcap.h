#pragma once
// A capture file of every frame that the hosts sent, as tcpdump and Wireshark read it (classic pcap,
// nanoseconds, Ethernet). The times are the simulation's.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>

#include "netstack/base/time.h"

namespace millrace::sim {

class Pcap {
  public:
    // Throws std::runtime_error when the file cannot be written.
    explicit Pcap(const char* path);
    void record(Duration at, std::span<const std::byte> frame);

  private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace millrace::sim
