#include "tests/loop/watch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "tests/loop/machine_code.h"

namespace millrace::test {
namespace {

constexpr std::uint8_t kBreak = 0xcc;                     // int3
constexpr std::array<std::uint8_t, 2> kCall{0x0f, 0x05};  // syscall
constexpr std::string_view kSystemCall = "syscall";
constexpr std::uint8_t kCallNear = 0xe8;       // and the distance, in four bytes
constexpr std::uint64_t kMostStack = 1 << 20;  // bytes of a turn

// What is disassembled once serves all runs.
const MachineCode& code_of(const std::string& object) {
    static std::map<std::string, MachineCode> known;
    auto [at, is_new] = known.try_emplace(object);
    if (is_new) at->second = disassemble(object);
    return at->second;
}

// A stretch of an object's code in the process.
struct Mapping {
    std::uint64_t start, end, bias;
    std::string object;
};

std::vector<Mapping> mappings_of(pid_t pid) {
    std::vector<Mapping> found;
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::uint64_t start = 0, end = 0, offset = 0;
        std::string access, device, inode, object;
        char dash;
        words >> std::hex >> start >> dash >> end >> access >> offset >> device >> inode >> object;
        if (access.find('x') == access.npos || !object.starts_with('/')) continue;
        found.push_back({start, end, load_bias(object, start, offset), object});
    }
    return found;
}

// EAL loads every driver there is; those of devices that are not here have no code that could run.
bool is_idle_driver(const std::string& object) {
    return object.find("/dpdk/pmds-") != object.npos;
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return name.starts_with(n); });
}

class Tracer {
  public:
    explicit Tracer(const Watch& what) : what_(what) {}
    Sightings run();

  private:
    enum class Kind : std::uint8_t { kForbidden, kLoop, kEnd, kCalled };
    struct Breakpoint {
        Kind kind;
        std::uint8_t byte;  // that is there in truth
        bool set = true;
        std::string text;
    };

    bool start();
    void watch_for_loops();
    void watch_for_forbidden();
    void trapped(pid_t thread);
    void enter_loop(pid_t thread, std::uint64_t top);
    bool is_excused(pid_t thread, const user_regs_struct& registers) const;
    void note(pid_t thread, std::uint64_t address, const user_regs_struct& registers);
    void step(pid_t thread, user_regs_struct& registers, Breakpoint& breakpoint);
    void call_elsewhere(pid_t thread, user_regs_struct& registers);
    void born_of(pid_t parent);
    void step_over(pid_t thread, std::uint64_t address, Breakpoint& breakpoint);
    void remove_all();

    std::uint8_t read_byte(std::uint64_t address) const;
    void write_byte(std::uint64_t address, std::uint8_t byte) const;
    void set(std::uint64_t address, Kind kind, std::string text);
    const Mapping* mapping_at(std::uint64_t address) const;
    std::string name_of(std::uint64_t address) const;
    std::string callers(const user_regs_struct& registers) const;

    const Watch& what_;
    Sightings seen_;
    pid_t pid_ = -1;
    int memory_ = -1;  // of the process
    std::vector<Mapping> mappings_;
    std::map<std::uint64_t, Breakpoint> breakpoints_;
    std::map<pid_t, std::uint64_t> watched_;  // and the top of their stacks as their loops' turns begin
    std::uint64_t elsewhere_ = 0;
    std::map<pid_t, std::uint64_t> called_from_;  // by those that are in a system call of call_elsewhere()
};

// --- the process's memory ---

std::uint8_t Tracer::read_byte(std::uint64_t address) const {
    std::uint8_t byte = 0;
    return ::pread(memory_, &byte, 1, static_cast<off_t>(address)) == 1 ? byte : 0;
}

void Tracer::write_byte(std::uint64_t address, std::uint8_t byte) const {
    [[maybe_unused]] const auto n = ::pwrite(memory_, &byte, 1, static_cast<off_t>(address));
}

void Tracer::set(std::uint64_t address, Kind kind, std::string text) {
    breakpoints_[address] = {kind, read_byte(address), true, std::move(text)};
    write_byte(address, kBreak);
}

const Mapping* Tracer::mapping_at(std::uint64_t address) const {
    for (const Mapping& mapping : mappings_)
        if (address >= mapping.start && address < mapping.end) return &mapping;
    return nullptr;
}

std::string Tracer::name_of(std::uint64_t address) const {
    const Mapping* mapping = mapping_at(address);
    return mapping ? code_of(mapping->object).function_at(address - mapping->bias) : std::string{};
}

// Words on the stack that a call could have left there: nearly all of them have, and the nearest are first.
std::string Tracer::callers(const user_regs_struct& registers) const {
    constexpr unsigned kMost = 4;
    std::array<std::uint64_t, 256> stack{};
    if (::pread(memory_, stack.data(), sizeof stack, static_cast<off_t>(registers.rsp)) <= 0) return {};
    std::string names;
    unsigned found = 0;
    for (const std::uint64_t word : stack) {
        if (!mapping_at(word) || (read_byte(word - 5) != kCallNear && read_byte(word - 2) != 0xff &&
                                  read_byte(word - 3) != 0xff && read_byte(word - 6) != 0xff))
            continue;
        names += (names.empty() ? ", called by " : ", ") + name_of(word);
        if (++found == kMost) break;
    }
    return names;
}

// --- breakpoints ---

void Tracer::watch_for_loops() {
    mappings_ = mappings_of(pid_);
    const std::string& program = mappings_.front().object;
    const auto at = [&](const std::string& name, Kind kind) {
        const std::uint64_t address = code_of(program).address_of(name);
        if (address == 0)
            seen_.trouble = program + " has no function " + name;
        else
            set(address + mappings_.front().bias, kind, name);
    };
    for (const std::string& loop : what_.loops)
        at(loop, Kind::kLoop);
    at(what_.end, Kind::kEnd);
}

void Tracer::watch_for_forbidden() {
    mappings_ = mappings_of(pid_);
    // The program's first instructions are not needed again.
    elsewhere_ = code_of(mappings_.front().object).address_of("_start") + mappings_.front().bias;
    for (std::size_t i = 0; i < kCall.size(); ++i)
        write_byte(elsewhere_ + i, kCall[i]);
    set(elsewhere_ + kCall.size(), Kind::kCalled, {});
    for (const Mapping& mapping : mappings_) {
        if (is_idle_driver(mapping.object)) continue;
        for (const Forbidden& found : code_of(mapping.object).forbidden) {
            const std::uint64_t address = found.address + mapping.bias;
            if (address < mapping.start || address >= mapping.end || breakpoints_.contains(address)) continue;
            set(address, Kind::kForbidden, found.text);
            ++seen_.instructions;
        }
    }
}

void Tracer::remove_all() {
    for (auto& [address, breakpoint] : breakpoints_)
        if (breakpoint.kind != Kind::kCalled && std::exchange(breakpoint.set, false))
            write_byte(address, breakpoint.byte);
}

// The others run on, and one of them may pass unseen meanwhile; not for long.
void Tracer::step_over(pid_t thread, std::uint64_t address, Breakpoint& breakpoint) {
    write_byte(address, breakpoint.byte);
    ::ptrace(PTRACE_SINGLESTEP, thread, 0, 0);
    int status = 0;
    ::waitpid(thread, &status, __WALL);
    write_byte(address, kBreak);
}

// A system call may sleep until another thread goes on, so it is not waited for: the thread makes it in a
// place of its own, from which a breakpoint brings it back.
void Tracer::call_elsewhere(pid_t thread, user_regs_struct& registers) {
    called_from_[thread] = registers.rip;
    registers.rip = elsewhere_;
    ::ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

// A new thread returns from the call that has made it, too.
void Tracer::born_of(pid_t parent) {
    unsigned long child = 0;
    ::ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
    called_from_[static_cast<pid_t>(child)] = called_from_[parent];
}

void Tracer::step(pid_t thread, user_regs_struct& registers, Breakpoint& breakpoint) {
    if (breakpoint.text.starts_with(kSystemCall))
        call_elsewhere(thread, registers);
    else
        step_over(thread, registers.rip, breakpoint);
}

void Tracer::enter_loop(pid_t thread, std::uint64_t top) {
    if (seen_.instructions == 0) watch_for_forbidden();
    watched_[thread] = top;
    if (watched_.size() < what_.threads) return;
    for (auto& [address, breakpoint] : breakpoints_)
        if (breakpoint.kind == Kind::kLoop && std::exchange(breakpoint.set, false))
            write_byte(address, breakpoint.byte);
}

// Whether the function that the loop has called is one of those whose business it is not. Where it returns to
// stands on the stack of the turn; so may, in room that nobody has written to since, the last call of a turn
// of another loop, which is never one of these.
bool Tracer::is_excused(pid_t thread, const user_regs_struct& registers) const {
    const std::uint64_t top = watched_.at(thread);
    if (registers.rsp >= top || top - registers.rsp > kMostStack) return false;
    std::vector<std::uint64_t> stack((top - registers.rsp) / 8);
    [[maybe_unused]] const auto n =
        ::pread(memory_, stack.data(), stack.size() * 8, static_cast<off_t>(registers.rsp));
    return std::any_of(stack.begin(), stack.end(), [&](std::uint64_t word) {
        std::int32_t distance = 0;
        return mapping_at(word) && is_one_of(what_.loops, name_of(word)) &&
               read_byte(word - 5) == kCallNear &&
               ::pread(memory_, &distance, 4, static_cast<off_t>(word - 4)) == 4 &&
               is_one_of(what_.excused, name_of(word + static_cast<std::uint64_t>(std::int64_t{distance})));
    });
}

void Tracer::note(pid_t thread, std::uint64_t address, const user_regs_struct& registers) {
    if (watched_.contains(thread) && !is_excused(thread, registers))
        ++seen_.met[name_of(address) + ": " + breakpoints_[address].text + callers(registers)];
}

void Tracer::trapped(pid_t thread) {
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, thread, 0, &registers);
    const auto at = breakpoints_.find(registers.rip - 1);
    if (at == breakpoints_.end()) return;
    auto& [address, breakpoint] = *at;
    registers.rip = address;
    ::ptrace(PTRACE_SETREGS, thread, 0, &registers);
    if (!breakpoint.set) return;  // gone since
    switch (breakpoint.kind) {
        case Kind::kForbidden:
            note(thread, address, registers);
            break;
        case Kind::kLoop:
            enter_loop(thread, registers.rsp);
            break;
        case Kind::kCalled:
            registers.rip = called_from_[thread] + kCall.size();
            ::ptrace(PTRACE_SETREGS, thread, 0, &registers);
            return;
        case Kind::kEnd:
            seen_.ended_in_order = true;
            remove_all();
            break;
    }
    if (breakpoint.set) step(thread, registers, breakpoint);
}

// --- the process ---

bool Tracer::start() {
    std::vector<char*> argv;
    std::vector<std::string> words = what_.command;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::ptrace(PTRACE_TRACEME, 0, 0, 0);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    int status = 0;
    if (pid_ < 0 || ::waitpid(pid_, &status, 0) != pid_ || !WIFSTOPPED(status)) {
        seen_.trouble = kCannotTrace;
        return false;
    }
    ::ptrace(PTRACE_SETOPTIONS, pid_, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
    memory_ = ::open(("/proc/" + std::to_string(pid_) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
    if (memory_ < 0) seen_.trouble = std::string("cannot change the process: ") + std::strerror(errno);
    return memory_ >= 0;
}

Sightings Tracer::run() {
    if (!start()) return seen_;
    watch_for_loops();
    if (!seen_.trouble.empty()) ::kill(pid_, SIGKILL);
    ::ptrace(PTRACE_CONT, pid_, 0, 0);
    for (int status = 0;;) {
        const pid_t thread = ::waitpid(-1, &status, __WALL);
        if (thread < 0) break;
        if (WIFSTOPPED(status)) {
            int signal = WSTOPSIG(status);
            if (status >> 16 == PTRACE_EVENT_CLONE) born_of(thread);
            if (signal == SIGTRAP && status >> 16 == 0) trapped(thread);
            if (signal == SIGTRAP || signal == SIGSTOP) signal = 0;  // ours: a breakpoint, a new thread
            ::ptrace(PTRACE_CONT, thread, 0, signal);
        } else if (thread == pid_) {
            seen_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
    }
    ::close(memory_);
    seen_.threads = static_cast<unsigned>(watched_.size());
    return seen_;
}

}  // namespace

Sightings watch(const Watch& what) {
    return Tracer(what).run();
}

}  // namespace millrace::test
