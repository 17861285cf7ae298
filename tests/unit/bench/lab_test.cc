// The lab and the bulk transfer as a user runs them: the program, its exit status, its result file. One
// process a run, since EAL can be started only once in a process.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// The program of the same build: tests/unit/bench/lab-test lies beside bench/millrace-bench.
std::string program =
    std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../../../bench/millrace-bench";

struct Outcome {
    int status = -1;  // exit status; 128 + signal when it was killed
    std::string out;
    std::string err;
    json result() const { return json::parse(out); }
};

// A file that has no name any more and keeps what the program writes.
int unnamed_file() {
    char name[] = "/tmp/millrace-lab-test-XXXXXX";
    const int file = ::mkstemp(name);
    ::unlink(name);
    return file;
}

std::string read_all(int file) {
    std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ::close(file);
    return text;
}

class Process {
  public:
    explicit Process(std::vector<std::string> arguments) : out_(unnamed_file()), err_(unnamed_file()) {
        std::vector<char*> argv{program.data()};
        for (std::string& argument : arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, out_, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files, err_, STDERR_FILENO);
        EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &files, nullptr, argv.data(), environ), 0);
        ::posix_spawn_file_actions_destroy(&files);
    }

    void interrupt() const { ::kill(pid_, SIGINT); }

    Outcome wait() {
        int status = 0;
        EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_all(out_),
                read_all(err_)};
    }

  private:
    int out_;
    int err_;
    pid_t pid_ = -1;
};

Outcome run(std::vector<std::string> arguments) {
    return Process(std::move(arguments)).wait();
}

// The arguments of a small run with its result on standard output.
std::vector<std::string> lab(std::vector<std::string> more) {
    std::vector<std::string> arguments{"lab", "--json", "-", "--duration", "200ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

void expect_good(const json& result, std::uint64_t connections) {
    EXPECT_EQ(result["schema"], 1);
    EXPECT_EQ(result["valid"], true) << result["invalid_because"];
    const json& stages = result["stages"];
    EXPECT_EQ(stages["connect"]["connections"], connections);
    EXPECT_EQ(stages["connect"]["failed"], 0);
    EXPECT_GT(stages["connect"]["rate_per_s"], 0.0);
    EXPECT_EQ(stages["hold"]["connections"], connections);
    EXPECT_EQ(stages["hold"]["verified"], connections);
    EXPECT_EQ(stages["hold"]["lost"], 0);
    const json& echo = stages["echo"];
    EXPECT_GT(echo["messages"], 0);
    EXPECT_GE(echo["verified_bytes"],
              echo["messages"].get<std::uint64_t>() * echo["payload_bytes"].get<std::uint64_t>());
    EXPECT_EQ(echo["verified_bytes"], echo["server_verified_bytes"]);
    EXPECT_EQ(echo["corrupted"], 0);
    EXPECT_EQ(echo["lost"], 0);
    const json& scatter = stages["scatter"];
    EXPECT_EQ(scatter["connections"], connections);
    EXPECT_GT(scatter["messages_per_s"], 0.0);
    EXPECT_GT(scatter["few_messages_per_s"], 0.0);
    EXPECT_GT(scatter["ratio"], 0.0);
    EXPECT_EQ(scatter["lost"], 0);
    EXPECT_GT(stages["churn"]["rounds"], 0);
    EXPECT_EQ(stages["churn"]["failed"], 0);
    EXPECT_EQ(stages["close"]["connections"], connections);
    EXPECT_EQ(stages["close"]["closed"], connections);
    for (const char* stage : {"connect", "hold", "churn", "close"})
        for (const char* end : {"server", "client"}) {
            const json& stalls = stages[stage]["stalls"][end];
            EXPECT_GT(stalls["turns"], 0);
            EXPECT_GT(stalls["own_max_ns"], 0);
            EXPECT_GE(stalls["turn_ns"]["max"], stalls["own_max_ns"]);
            EXPECT_GE(stalls["over_1ms"], stalls["own_over_1ms"]);
        }
    const json& latency = stages["latency"];
    EXPECT_GT(latency["sent"], 0);
    EXPECT_EQ(latency["lost"], 0);
    EXPECT_GT(latency["floor_rtt_ns"]["p50"], 0);
    EXPECT_GT(latency["rtt_ns"]["p50"], latency["floor_rtt_ns"]["p50"]);
    EXPECT_GE(latency["rtt_ns"]["p99"], latency["rtt_ns"]["p50"]);
}

TEST(Lab, RunsAllStagesAndVerifiesEverything) {
    const Outcome outcome = run(lab({"--connections", "5k"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json result = outcome.result();
    expect_good(result, 5000);
    // Of few connections, the pages and packet buffers that come and go would show more than the connections.
    for (const char* bytes : {"server_bytes_per_connection", "client_bytes_per_connection"}) {
        EXPECT_GT(result["stages"]["connect"][bytes], 64.0);
        EXPECT_LT(result["stages"]["connect"][bytes], 1024.0);
    }
    EXPECT_EQ(result["program"], "millrace-bench lab");
    EXPECT_EQ(result["environment"]["carrier"], "dpdk (cable)");
    EXPECT_EQ(result["environment"]["hugepages"], "none");
    EXPECT_THAT(result["environment"]["eal"].get<std::string>(), HasSubstr("--no-huge"));
    // Unpipelined: no two messages share a segment. Those under way when the counting began were sent before.
    EXPECT_GE(result["stages"]["echo"]["client_segments"].get<std::uint64_t>() + 1000,
              result["stages"]["echo"]["messages"].get<std::uint64_t>());
    // The table is for people, and stays out of the result's way.
    EXPECT_THAT(outcome.err, HasSubstr("5,000 of 5,000 connections echoed"));
}

// The first two CPUs that we may use, or the only one twice: "0,1".
std::string two_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    std::vector<std::string> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(std::to_string(cpu));
    return cpus.front() + "," + cpus.back();
}

// As many shards as asked for, in turns on the CPUs that there are: "0,1,0,1".
std::string cores_of(unsigned shards) {
    const std::string pair = two_cpus();
    std::string text = pair;
    for (unsigned i = 2; i < shards; i += 2)
        text += ',' + pair;
    return shards == 1 ? pair.substr(0, pair.find(',')) : text;
}

// Each connection is one shard's at either end, and no segment of it comes to another: a shard would reset
// what it does not know. On a machine that lets a shard stand still for longer than a timeout it may be a FIN
// sent again to one who has closed since (RFC 9293 section 3.10.7.1), of the other end's retransmissions.
void expect_spread(unsigned servers, unsigned clients, std::vector<std::string> more = {}) {
    constexpr std::uint64_t kConnections = 1000;
    more.insert(more.end(), {"--connections", std::to_string(kConnections), "--cores-server",
                             cores_of(servers), "--cores-client", cores_of(clients)});
    const Outcome outcome = run(lab(more));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json result = outcome.result();
    expect_good(result, kConnections);
    EXPECT_EQ(result["environment"]["server_cores"].size(), servers);
    EXPECT_EQ(result["environment"]["client_cores"].size(), clients);
    EXPECT_EQ(result["shards"].size(), servers + clients);
    for (const auto& [end, shards] : {std::pair{"server", servers}, {"client", clients}}) {
        const json& other = result["counters"][end == std::string("server") ? "client" : "server"];
        EXPECT_LE(result["counters"][end]["tcp.OutRsts"], other["tcp.RetransSegs"]);
        std::uint64_t connections = 0, messages = 0;
        for (const json& shard : result["shards"]) {
            if (shard["end"] != end) continue;
            EXPECT_GT(shard["connections"], kConnections / shards / 2) << end;
            EXPECT_GT(shard["messages"], 0) << end;
            connections += shard["connections"].get<std::uint64_t>();
            messages += shard["messages"].get<std::uint64_t>();
        }
        EXPECT_EQ(connections, kConnections) << end;
        EXPECT_EQ(messages, result["counters"][end]["ws_messages_received"]);
    }
}

TEST(Lab, SpreadsConnectionsOverTwoShardsAtBothEnds) {
    expect_spread(2, 2);
}
TEST(Lab, SpreadsConnectionsOverFourShardsAtBothEnds) {
    expect_spread(4, 4);
}
TEST(Lab, SpreadsConnectionsOverFourAndTwoShardsOverIpv6) {
    expect_spread(4, 2, {"--ipv6"});
}
TEST(Lab, SpreadsConnectionsOverEightShardsAtBothEnds) {
    expect_spread(8, 8);
}
TEST(Lab, SpreadsConnectionsOfOneShardOverEight) {
    expect_spread(8, 1);
}

std::string one_cpu() {
    return two_cpus().substr(0, two_cpus().find(','));
}

TEST(Lab, BothEndsOnOneCoreWithARemark) {
    const Outcome outcome = run(lab({"--connections", "100", "--cores", one_cpu()}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    expect_good(outcome.result(), 100);
    EXPECT_THAT(outcome.result()["remarks"].dump(), HasSubstr("share a core"));
}

TEST(Lab, VerifiesPipelinedAndLargeAndTinyAndEmptyMessages) {
    const std::vector<std::vector<std::string>> shapes{{"--in-flight", "16"},
                                                       {"--payload", "64KiB", "--in-flight", "4"},
                                                       {"--payload", "3"},
                                                       {"--payload", "0"}};
    for (const auto& shape : shapes) {
        std::vector<std::string> arguments{"--connections", "20", "--stages", "hold,echo"};
        arguments.insert(arguments.end(), shape.begin(), shape.end());
        const Outcome outcome = run(lab(arguments));
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_GT(outcome.result()["stages"]["echo"]["messages"], 0);
        EXPECT_FALSE(outcome.result()["stages"].contains("connect"));
        EXPECT_FALSE(outcome.result()["stages"].contains("latency"));
    }
}

// Every one of the churn stage's ended in order at both ends, and TIME-WAIT kept no newcomer out.
TEST(Lab, ConnectionsComeAndGoByTheThousand) {
    const Outcome outcome = run(lab({"--stages", "churn", "--connections", "10"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json result = outcome.result();
    const auto rounds = result["stages"]["churn"]["rounds"].get<std::uint64_t>();
    EXPECT_GT(rounds, 0u);
    const json& server = result["counters"]["server"];
    EXPECT_GE(server["ws_opened"], rounds + 10);
    EXPECT_GE(server["ws_closes_received"], rounds);
    EXPECT_EQ(server["ws_open"], 10);
    EXPECT_EQ(server["ws_lost"], 0);
    EXPECT_EQ(server["tcp.ListenOverflows"], 0);
    EXPECT_FALSE(result["stages"].contains("connect"));
}

TEST(Lab, HeldConnectionsArePingedAndAnswer) {
    const Outcome outcome = run(lab(
        {"--stages", "hold", "--connections", "2000", "--ping-interval", "200ms", "--hold-for", "700ms"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json hold = outcome.result()["stages"]["hold"];
    EXPECT_EQ(hold["verified"], 2000);
    EXPECT_GE(hold["pings"], 2000);
    EXPECT_EQ(hold["unanswered"], 0);
    EXPECT_EQ(hold["held_seconds"], 0.7);
    EXPECT_EQ(hold["ping_interval_s"], 0.2);
    EXPECT_EQ(outcome.result()["counters"]["server"]["ws_lost"], 0);
    EXPECT_THAT(outcome.err, HasSubstr("with pings every 0.2 s"));
}

void expect_fanned_out(const json& fanout, std::uint64_t subscribers) {
    EXPECT_EQ(fanout["subscribers"], subscribers);
    for (const char* fault : {"failed", "gaps", "wrong", "ended", "refused"})
        EXPECT_EQ(fanout[fault], 0) << fault;
    EXPECT_GT(fanout["published"], 0);
    EXPECT_GT(fanout["deliveries_per_s"], 0.0);
    EXPECT_GT(fanout["last_subscriber_ns"]["p50"], 0);
    EXPECT_GE(fanout["last_subscriber_ns"]["p99"], fanout["last_subscriber_ns"]["p50"]);
    // Of a few hundred subscribers it is lost in the packet buffers that happen to be under way.
    EXPECT_TRUE(fanout.contains("server_bytes_per_subscriber"));
}

TEST(Lab, EverySubscriberHearsEachMessageOfItsTopicOnceAndInOrder) {
    const Outcome outcome = run(lab({"--stages", "fanout", "--subscribers", "300", "--stalled", "3"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json fanout = outcome.result()["stages"]["fanout"];
    expect_fanned_out(fanout, 300);
    for (const char* turn : {"merged", "at_half", "at_four_fifths"})
        EXPECT_EQ(fanout[turn]["deliveries"], 300 * fanout[turn]["published"].get<std::uint64_t>()) << turn;
    EXPECT_EQ(fanout["deliveries"], 300 * fanout["published"].get<std::uint64_t>());
    EXPECT_EQ(fanout["with_stalled"]["deliveries"],
              297 * fanout["with_stalled"]["published"].get<std::uint64_t>());
    EXPECT_THAT(outcome.err, HasSubstr("with 3 who do not read"));
}

// Topics are numbered at home, and reach the subscribers of either shard by the exchange.
TEST(Lab, SubscribersOfManyTopicsHearThemFromEveryShard) {
    const Outcome outcome =
        run(lab({"--stages", "fanout", "--subscribers", "300", "--topics", "20", "--topics-each", "3",
                 "--publish-rate", "500", "--fanout-payload", "512", "--connections", "10", "--cores-server",
                 cores_of(2), "--cores-client", cores_of(2)}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const json fanout = outcome.result()["stages"]["fanout"];
    expect_fanned_out(fanout, 300);
    EXPECT_GT(fanout["deliveries"], fanout["published"].get<std::uint64_t>());
    EXPECT_FALSE(fanout.contains("merged"));
}

TEST(Lab, SaysWhenChecksumsAreOff) {
    const Outcome outcome = run(lab({"--connections", "50", "--checksum", "off", "--stages", "hold"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.result()["environment"]["checksums"], false);
    EXPECT_THAT(outcome.result()["remarks"].dump(), HasSubstr("checksums"));
}

TEST(Lab, RunsOverIpv6) {
    const Outcome outcome =
        run(lab({"--ipv6", "--connections", "50", "--echo-connections", "10", "--stages", "hold,echo"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.result()["valid"], true);
    EXPECT_EQ(outcome.result()["stages"]["hold"]["verified"], 50);
}

TEST(Lab, AnInterruptEndsTheRunAndMakesItInvalid) {
    Process process({"lab", "--connections", "100", "--duration", "10m", "--stages", "echo", "--json", "-"});
    std::this_thread::sleep_for(1s);  // wherever it is by now
    process.interrupt();
    const Outcome outcome = process.wait();
    // Before the handler stands, the signal ends the process: that is an end, too.
    if (outcome.status == 128 + SIGINT) GTEST_SKIP() << "the signal came before the program was ready";
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.result()["invalid_because"].dump(), HasSubstr("interrupted"));
}

TEST(Lab, MistakesAreOneSentenceAndStatusTwo) {
    const std::vector<std::vector<std::string>> mistakes{
        {"lab", "--frobnicate"},
        {"lab", "--connections", "many"},
        {"lab", "--stages", "lunch"},
        {"lab", "--connections", "4000m"},  // 1.5 TB
        {"lab", "--cores", "9999"},
        {"lab", "--eal", "--no-such-eal-option"},
        {"lab", "--connections", "10", "--duration", "10ms", "--stages", "hold", "--json",
         "/nonexistent/result.json"},
        {"bulk", "--mtu", "12"},
        {"laboratory"},
        {}};
    for (const auto& mistake : mistakes) {
        const Outcome outcome = run(mistake);
        EXPECT_EQ(outcome.status, 2) << outcome.err;
        EXPECT_THAT(outcome.err, MatchesRegex("millrace-bench: [^\n]+\n"));
    }
}

TEST(Bulk, TransfersSoManyBytesAndComparesEachOne) {
    for (const char* checksums : {"software", "none"})
        for (const char* mtu : {"576", "1500", "9000"}) {
            const Outcome outcome =
                run({"bulk", "--bytes", "10000001", "--mtu", mtu, "--checksums", checksums, "--json", "-"});
            ASSERT_EQ(outcome.status, 0) << outcome.err;
            const json result = outcome.result();
            EXPECT_EQ(result["program"], "millrace-bench bulk");
            const json& bulk = result["stages"]["bulk"];
            EXPECT_EQ(bulk["payload_bytes"], 10'000'001);
            EXPECT_EQ(bulk["corrupted_bytes"], 0);
            EXPECT_EQ(bulk["mss"], std::stoi(mtu) - 20 - 20 - 12);
            EXPECT_GE(bulk["segments"], 10'000'001 / bulk["mss"].get<int>());
            EXPECT_GT(bulk["gbit_per_s"], 0.0);
            EXPECT_EQ(bulk["checksums"], checksums);
            // A figure without checksums says so wherever it is shown.
            const bool none = checksums == std::string("none");
            EXPECT_EQ(result["environment"]["checksums"], !none);
            EXPECT_EQ(result["remarks"].dump().find("checksums were neither") != std::string::npos, none);
            EXPECT_EQ(outcome.err.find("neither computed nor verified") != std::string::npos, none);
        }
}

TEST(Bulk, MeasuresForATimeOnOneCoreToo) {
    const Outcome outcome = run({"bulk", "--duration", "100ms", "--cores", one_cpu(), "--json", "-"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_GT(outcome.result()["stages"]["bulk"]["payload_bytes"], 0);
    EXPECT_THAT(outcome.result()["remarks"].dump(), HasSubstr("share a core"));
}

TEST(Lab, HelpNamesEveryOption) {
    const Outcome outcome = run({"lab", "--help"});
    EXPECT_EQ(outcome.status, 0);
    for (const char* option : {"--connections", "--payload", "--in-flight", "--duration", "--stages",
                               "--ping-interval", "--hold-for", "--cores", "--cores-server", "--cores-client",
                               "--seed", "--checksum", "--ipv6", "--eal", "--json"})
        EXPECT_THAT(outcome.out, HasSubstr(option));
}

}  // namespace
