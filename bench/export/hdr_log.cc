#include "bench/export/hdr_log.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace millrace::bench {

namespace {

using Bytes = std::vector<unsigned char>;

constexpr std::uint32_t kEncodingCookie = 0x1c849313;    // V2, words of up to 64 bits in up to 9 bytes
constexpr std::uint32_t kCompressedCookie = 0x1c849314;  // the same, deflated

// Big-endian.
template <class T>
void put(Bytes& out, T value) {
    for (int shift = 8 * static_cast<int>(sizeof value) - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<unsigned char>((static_cast<std::uint64_t>(value) >> shift) & 0xff));
}

// ZigZag, seven bits a byte, the lowest first; a ninth byte has eight.
void put_count(Bytes& out, std::int64_t count) {
    auto left = static_cast<std::uint64_t>(count) << 1 ^ static_cast<std::uint64_t>(count >> 63);
    for (int i = 0; i < 8; ++i) {
        if (left < 0x80) return out.push_back(static_cast<unsigned char>(left));
        out.push_back(static_cast<unsigned char>((left & 0x7f) | 0x80));
        left >>= 7;
    }
    out.push_back(static_cast<unsigned char>(left));
}

// Of bucket after bucket; a run of empty ones is its length, negative.
Bytes counts_of(const Histogram& histogram) {
    Bytes counts;
    std::size_t next = 0;
    histogram.visit([&](std::uint64_t end, std::uint64_t count) {
        const std::size_t bucket = Histogram::bucket_of(end);
        const auto empty = static_cast<std::int64_t>(bucket - next);
        if (empty != 0) put_count(counts, empty == 1 ? 0 : -empty);
        put_count(counts, static_cast<std::int64_t>(count));
        next = bucket + 1;
    });
    return counts;
}

std::string base64(const Bytes& bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                         static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

}  // namespace

std::string hdr_encoded(const Histogram& histogram) {
    constexpr std::uint32_t kDigits = 3;
    const double conversion = 1;
    std::uint64_t conversion_bits;
    std::memcpy(&conversion_bits, &conversion, sizeof conversion_bits);
    const Bytes counts = counts_of(histogram);
    Bytes plain;
    put(plain, kEncodingCookie);
    put(plain, static_cast<std::uint32_t>(counts.size()));
    put(plain, std::uint32_t{0});  // normalizing index offset
    put(plain, kDigits);
    put(plain, std::uint64_t{1});  // lowest discernible value
    put(plain, Histogram::kHighest);
    put(plain, conversion_bits);
    plain.insert(plain.end(), counts.begin(), counts.end());

    uLongf size = ::compressBound(plain.size());
    Bytes deflated(size);
    ::compress2(deflated.data(), &size, plain.data(), plain.size(), Z_BEST_COMPRESSION);
    Bytes whole;
    put(whole, kCompressedCookie);
    put(whole, static_cast<std::uint32_t>(size));
    whole.insert(whole.end(), deflated.begin(), deflated.begin() + static_cast<std::ptrdiff_t>(size));
    return base64(whole);
}

std::string hdr_log(const Latencies& latencies, double began, double seconds) {
    std::string log = fmt::format(
        "#[Histogram log format version 1.3]\n#[values in ns, Interval_Max in ms]\n"
        "#[StartTime: {:.3f} (seconds since epoch)]\n"
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        began);
    const auto line = [&](std::string_view tag, double from, double length, const Histogram& histogram) {
        log += fmt::format("{}{:.3f},{:.3f},{:.6f},{}\n", tag, from, length,
                           static_cast<double>(histogram.max()) / 1e6, hdr_encoded(histogram));
    };
    const double part = seconds / static_cast<double>(std::max<std::size_t>(latencies.rtt_parts.size(), 1));
    for (std::size_t i = 0; i < latencies.rtt_parts.size(); ++i)
        line("", static_cast<double>(i) * part, part, latencies.rtt_parts[i]);
    line("Tag=service,", 0, seconds, latencies.service);
    line("Tag=send_lag,", 0, seconds, latencies.send_lag);
    return log;
}

}  // namespace millrace::bench
