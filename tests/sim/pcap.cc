#include "tests/sim/pcap.h"

#include <stdexcept>
#include <string>

namespace millrace::sim {

Pcap::Pcap(const char* path) : file_(std::fopen(path, "wb")) {
    if (!file_) throw std::runtime_error(std::string("cannot write ") + path);
    constexpr std::uint32_t kEthernet = 1;
    const std::uint32_t header[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, kEthernet};
    std::fwrite(header, sizeof header, 1, file_.get());
}

void Pcap::record(Duration at, std::span<const std::byte> frame) {
    const auto length = static_cast<std::uint32_t>(frame.size());
    const std::uint32_t header[] = {static_cast<std::uint32_t>(at / 1s),
                                    static_cast<std::uint32_t>((at % 1s).count()), length, length};
    std::fwrite(header, sizeof header, 1, file_.get());
    std::fwrite(frame.data(), frame.size(), 1, file_.get());
}

}  // namespace millrace::sim
