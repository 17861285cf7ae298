#include "tests/loop/machine_code.h"

#include <elf.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <string_view>

namespace millrace::test {
namespace {

void each_line_of(const std::string& command, const std::function<void(std::string_view)>& take) {
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return;
    char* line = nullptr;
    std::size_t room = 0;
    for (ssize_t n; (n = ::getline(&line, &room, pipe)) > 0;)
        take({line, static_cast<std::size_t>(n - (line[n - 1] == '\n'))});
    std::free(line);
    ::pclose(pipe);
}

// "0000000000001020 <name>:" begins a function.
bool begins_function(std::string_view line) {
    return line.ends_with(">:") && line.find(" <") != line.npos;
}

bool is_forbidden(std::string_view text) {
    if (text.starts_with("lock ") || text.find(" lock ") != text.npos) return true;  // "xacquire lock"
    if (text.starts_with("syscall")) return true;
    return text.starts_with("xchg ") && text.find('(') != text.npos;
}

}  // namespace

std::string MachineCode::function_at(std::uint64_t address) const {
    auto next = functions.upper_bound(address);
    return next == functions.begin() ? std::string{} : std::prev(next)->second;
}

std::uint64_t MachineCode::address_of(const std::string& name) const {
    for (const auto& [address, function] : functions)
        if (function.starts_with(name) && function.find("[clone") == function.npos) return address;
    return 0;
}

MachineCode disassemble(const std::string& object) {
    MachineCode code;
    each_line_of("objdump -d -C --no-show-raw-insn '" + object + "'", [&](std::string_view line) {
        if (begins_function(line)) {
            const auto at = line.find(" <") + 2;
            code.functions[std::stoull(std::string(line.substr(0, 16)), nullptr, 16)] =
                line.substr(at, line.size() - 2 - at);
            return;
        }
        const auto tab = line.find(":\t");  // "  4011d6:\tlock xadd %eax,(%rdx)"
        if (tab == line.npos || !is_forbidden(line.substr(tab + 2))) return;
        code.forbidden.push_back(
            {std::stoull(std::string(line.substr(0, tab)), nullptr, 16), std::string(line.substr(tab + 2))});
    });
    return code;
}

std::uint64_t load_bias(const std::string& object, std::uint64_t start, std::uint64_t offset) {
    std::ifstream file(object, std::ios::binary);
    Elf64_Ehdr elf{};
    file.read(reinterpret_cast<char*>(&elf), sizeof elf);
    for (unsigned i = 0; file && i < elf.e_phnum; ++i) {
        Elf64_Phdr part{};
        file.seekg(static_cast<std::streamoff>(elf.e_phoff + i * sizeof part));
        file.read(reinterpret_cast<char*>(&part), sizeof part);
        constexpr std::uint64_t kPage = 4096;
        if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
        if (offset + kPage > part.p_offset && offset < part.p_offset + part.p_filesz)
            return start - offset + part.p_offset - part.p_vaddr;
    }
    return 0;
}

}  // namespace millrace::test
