#include "bench/load/remote.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstring>
#include <thread>

#include "bench/control/interrupt.h"
#include "bench/load/wire.h"
#include "bench/result/commit.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

// It says something four times a second, and hears something every second.
constexpr Duration kSilence = 20s;
constexpr Duration kAlive = 1s;
constexpr Duration kSetUpPatience = 120s;
constexpr auto kNap = 1ms;

}  // namespace

RemoteMember::RemoteMember(Companion companion)
    : name_(std::move(companion.name)), pid_(companion.pid), link_(std::move(companion.link)) {}

RemoteMember::~RemoteMember() {
    link_.send({{"end", true}});
    if (pid_ == 0 || !lost_.empty()) return;
    for (int tries = 0; tries < 2000 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++tries)
        std::this_thread::sleep_for(kNap);
}

// --- set-up ---

template <class Arrived>
Expected<void> RemoteMember::wait_for(Arrived arrived) {
    const Duration began = steady_now();
    for (;;) {
        hear_all();
        if (!failed_.empty()) return fail(fmt::format("{}: {}", name_, failed_));
        if (!lost_.empty()) return fail(fmt::format("{} was lost before the run: {}", name_, lost_));
        if (arrived()) return {};
        if (interrupted()) return fail("interrupted before the run began");
        if (steady_now() - began > kSetUpPatience)
            return fail(fmt::format("{} was not ready after two minutes", name_));
        std::this_thread::sleep_for(kNap);
    }
}

Expected<void> RemoteMember::greet() {
    if (auto came = wait_for([this] { return greeted_; }); !came) return came;
    return compare_clocks();
}

// Of some exchanges the quickest says most: its clock was read between our two readings.
Expected<void> RemoteMember::compare_clocks() {
    constexpr int kExchanges = 8;
    for (int i = 0; i < kExchanges; ++i) {
        const Duration before = steady_now();
        link_.send({{"clock", ++clock_number_}});
        const auto answered = [this] { return clock_answered_ == clock_number_; };
        // Without a nap, which would be most of the time.
        while (!answered() && link_.broken().empty() && steady_now() - before < 10ms)
            hear_all();
        if (auto came = wait_for(answered); !came) return came;
        const Duration half = (steady_now() - before) / 2;
        if (i != 0 && half >= clock_error_) continue;
        clock_error_ = half;
        clock_ahead_ = clock_said_ - (before + half);
    }
    return {};
}

void RemoteMember::set_up(unsigned first_shard, unsigned shards) {
    link_.send({{"set_up", {{"first_shard", first_shard}, {"shards", shards}}}});
}

Expected<void> RemoteMember::await_ready() {
    return wait_for([this] { return ready_; });
}

// --- the run ---

void RemoteMember::give(const LoadCommand& command) {
    LoadCommand there = command;
    if (there.start != Duration{}) there.start += clock_ahead_;
    heard_ = spoken_ = steady_now();
    link_.send({{"number", ++given_}, {"order", to_wire(there)}});
}

bool RemoteMember::is_done() {
    hear_all();
    return !lost_.empty() || done_ == given_;
}

void RemoteMember::hear_all() {
    if (!lost_.empty()) return;
    const Duration now = steady_now();
    while (const auto message = link_.receive()) {
        heard_ = now;
        try {
            hear(*message);
        } catch (const Json::exception&) {
            lost_ = "it said what was not understood";
            return;
        }
    }
    if (!link_.broken().empty())
        lost_ = fate();
    else if (ready_ && done_ != given_ && now - heard_ > kSilence)
        lost_ = "it was not heard of for 20 s";
    else if (ready_ && now - spoken_ > kAlive) {
        spoken_ = now;
        link_.send({{"alive", true}});
    }
}

void RemoteMember::hear(const Json& message) {
    if (message.contains("counts")) {
        counts_ = counts_of(message.at("counts"));
    } else if (message.contains("done")) {
        tally_ = tally_of(message.at("tally"));
        message.at("done").get_to(done_);
    } else if (message.contains("clock")) {
        message.at("clock").get_to(clock_answered_);
        clock_said_ = Duration(message.at("now").get<std::int64_t>());
    } else if (message.contains("ready")) {
        heard_ = steady_now();
        ready_ = true;
    } else if (message.contains("failed")) {
        message.at("failed").get_to(failed_);
    } else if (const auto hello = message.find("hello"); hello != message.end()) {
        hello->at("cores").get_to(cores_);
        greeted_ = true;
        if (hello->at("commit").get<std::string>() != kCommit)
            failed_ = "it is another version of millrace-bench: install the same one everywhere";
    }
}

// What became of it; of a child that is known exactly.
std::string RemoteMember::fate() const {
    int status = 0;
    for (int tries = 0; pid_ != 0 && tries < 1000; ++tries) {
        if (::waitpid(pid_, &status, WNOHANG) == pid_)
            return WIFSIGNALED(status) ? fmt::format("killed by signal {} ({})", WTERMSIG(status),
                                                     ::strsignal(WTERMSIG(status)))
                                       : fmt::format("it ended with status {}", WEXITSTATUS(status));
        std::this_thread::sleep_for(kNap);
    }
    return link_.broken();
}

}  // namespace millrace::bench
