#include "engine/doctor/machine_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <memory>
#include <sstream>

namespace millrace::doctor {

namespace fs = std::filesystem;

std::optional<std::string> MachineFiles::read(const std::string& path) const {
    // Not a stream: those throw where the kernel refuses to say what a file of its own holds.
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen((root_ / path).c_str(), "re"),
                                                               std::fclose);
    if (!file) return std::nullopt;
    std::string text;
    char piece[4096];
    while (const std::size_t n = std::fread(piece, 1, sizeof piece, file.get()))
        text.append(piece, n);
    if (std::ferror(file.get())) return std::nullopt;
    text.erase(text.find_last_not_of(" \n\t\0") + 1);
    return text;
}

std::optional<long long> MachineFiles::number(const std::string& path) const {
    const auto text = read(path);
    long long value = 0;
    if (!text) return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return value;
}

std::vector<std::string> MachineFiles::names(const std::string& path) const {
    std::vector<std::string> found;
    std::error_code error;
    for (fs::directory_iterator at(root_ / path, error), end; !error && at != end; at.increment(error))
        found.push_back(at->path().filename());
    std::sort(found.begin(), found.end());
    return found;
}

std::string MachineFiles::link(const std::string& path) const {
    std::error_code error;
    return fs::read_symlink(root_ / path, error).filename();
}

bool MachineFiles::exists(const std::string& path) const {
    std::error_code error;
    return fs::exists(root_ / path, error);
}

std::vector<unsigned> parse_list(std::string_view text) {
    std::vector<unsigned> numbers;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        unsigned first = 0;
        const auto [next, error] = std::from_chars(at, end, first);
        at = next;
        if (error != std::errc{}) {
            ++at;
            continue;
        }
        unsigned last = first;
        if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
        for (unsigned n = first; n <= last && n - first < 4096; ++n)
            numbers.push_back(n);
    }
    return numbers;
}

std::string format_list(const std::vector<unsigned>& numbers) {
    std::vector<std::string> words;
    for (const unsigned number : numbers)
        words.push_back(std::to_string(number));
    return join(words, ",");
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words)
        text.append(text.empty() ? "" : between).append(word);
    return text;
}

std::vector<std::string> words_of(std::string_view line) {
    std::istringstream stream{std::string(line)};
    return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<std::string> lines_of(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

}  // namespace millrace::doctor
