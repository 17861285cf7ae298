#pragma once
// Where, in a program or shared object, are the instructions that a shard's loop does without:
//
//   - those that read, change and write memory as one indivisible step, of which every mutex, spinlock and
//   shared
//     reference count is made: with the lock prefix, or exchanges with memory, which have it implied;
//   - system calls.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace millrace::test {

struct Forbidden {
    std::uint64_t address;  // as the object's headers have it
    std::string text;       // as objdump writes it
};

struct MachineCode {
    std::map<std::uint64_t, std::string> functions;  // by where they begin, demangled
    std::vector<Forbidden> forbidden;

    // The function that `address` is in; empty before the first.
    std::string function_at(std::uint64_t address) const;
    // Where the function begins whose name begins with `name`; zero when there is none.
    std::uint64_t address_of(const std::string& name) const;
};

// By objdump, which names functions only of objects that are not stripped. Of one that cannot be read:
// nothing.
MachineCode disassemble(const std::string& object);

// By how much an address in the process is higher than in the object's headers, where the bytes of the file
// from `offset` on are mapped at `start`.
std::uint64_t load_bias(const std::string& object, std::uint64_t start, std::uint64_t offset);

}  // namespace millrace::test
