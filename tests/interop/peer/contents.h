#pragma once
// What the clients of other makes send: text of every length of UTF-8, and octets in which places differ.

#include <cstddef>
#include <string>

inline std::string text(std::size_t size) {
    const std::string unit = "Grüße €𝄞 ";
    std::string whole;
    whole.reserve(size);
    while (whole.size() + unit.size() <= size)
        whole += unit;
    return whole.append(size - whole.size(), '.');
}

inline std::string binary(std::size_t size) {
    std::string octets(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        octets[i] = static_cast<char>(i >> 8 ^ i);
    return octets;
}
