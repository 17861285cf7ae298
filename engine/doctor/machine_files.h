#pragma once
// The files in which Linux tells about the machine: /proc and /sys, or a test's copy of them.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::doctor {

class MachineFiles {
  public:
    explicit MachineFiles(std::filesystem::path root = "/") : root_(std::move(root)) {}

    // Without the white space at its end; none when it is not there or may not be read. `path` begins with no
    // slash, as in all that follow.
    std::optional<std::string> read(const std::string& path) const;
    std::optional<long long> number(const std::string& path) const;
    // The names in a directory, in order; none when it is not there.
    std::vector<std::string> names(const std::string& path) const;
    // The last part of what a symbolic link points to; empty when it is none.
    std::string link(const std::string& path) const;
    bool exists(const std::string& path) const;

  private:
    std::filesystem::path root_;
};

// "0-3,8": CPUs, or nodes, as the kernel lists them. What is no number is left out.
std::vector<unsigned> parse_list(std::string_view text);
std::string format_list(const std::vector<unsigned>& numbers);
std::string join(const std::vector<std::string>& words, std::string_view between);

// The words of a line.
std::vector<std::string> words_of(std::string_view line);
std::vector<std::string> lines_of(std::string_view text);

}  // namespace millrace::doctor
