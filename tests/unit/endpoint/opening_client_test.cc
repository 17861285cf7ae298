// A client's opening through a proxy, and past answers that are none: against a peer on which the test says
// what is sent, cut at every byte.

#include "tests/unit/endpoint/endpoint_pair.h"

namespace millrace::test {
namespace {

constexpr const char* kOpen = "HTTP/1.1 200 Connection established\r\n\r\n";

struct Reported {
    struct Failure {
        std::string why, content;
        int status = 0;
        bool connected = false, from_proxy = false;
    };
    std::vector<Failure>* failures;
    int* opens;
    void on_open(auto&) { ++*opens; }
    void on_failed(net::ConnId, const OpeningFailure& failure) {
        failures->push_back({std::string(failure.why), std::string(failure.content),
                             failure.response ? failure.response->status : 0, failure.connected,
                             failure.from_proxy});
    }
};

class OpeningClientTest : public ::testing::Test {
  protected:
    using Client = Endpoint<MemoryCarrier, Reported>;

    void start(ClientTarget target) {
        near = MemoryCarrier();
        far = MemoryCarrier();
        MemoryCarrier::join(near, far);
        failures.clear();
        opens = 0;
        got.clear();
        auto made = Client::create(near, {}, app(route("", Reported{&failures, &opens})));
        ASSERT_TRUE(made);
        client = std::move(*made);
        ASSERT_TRUE(far.listen({}));
        client->connect({}, client->add_target<Reported>(std::move(target)), now);
        run();
        run();
    }
    // What the client sends is added to `got`.
    void run() {
        client->handle(near.poll(now), now);
        client->tick(now);
        near.flush(now);
        for (auto& event : far.poll(now)) {
            peer = event.conn;
            const auto bytes = event.bytes.bytes();
            got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        }
        now += 1us;
    }
    void say(std::string_view text) {
        ASSERT_TRUE(write_bytes(far, peer, as_bytes(text)));
        far.flush(now);
        run();
        run();
    }
    // The head of 101 for the request in `got`.
    std::string switching() const {
        const std::string name = "Sec-WebSocket-Key: ";
        std::array<char, 28> accept;
        ws::accept_key(got.substr(got.find(name) + name.size(), 24), accept);
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: " +
               std::string(accept.data(), accept.size()) + "\r\n\r\n";
    }

    MemoryCarrier near, far;
    std::unique_ptr<Client> client;
    std::vector<Reported::Failure> failures;
    int opens = 0;
    net::ConnId peer = net::kNoConn;
    std::string got;
    Time now{1s};
};

const ClientTarget kThroughProxy{.host = "server", .path = "/x", .tunnel = {"server:80", "Basic eA=="}};

TEST_F(OpeningClientTest, TheProxyIsAskedFirstAndTheServerThroughTheTunnel) {  // RFC 9110 section 9.3.6
    const std::size_t length = std::string_view(kOpen).size();
    for (std::size_t cut = 1; cut <= length; ++cut) {
        start(kThroughProxy);
        EXPECT_EQ(got,
                  "CONNECT server:80 HTTP/1.1\r\nHost: server:80\r\nProxy-Authorization: Basic eA==\r\n\r\n");
        got.clear();
        say(std::string_view(kOpen).substr(0, cut));
        EXPECT_EQ(got.empty(), cut < length);
        if (cut < length) say(std::string_view(kOpen).substr(cut));
        EXPECT_TRUE(got.starts_with("GET /x HTTP/1.1\r\nHost: server\r\n")) << cut;
        EXPECT_EQ(got.find("Proxy-Authorization"), std::string::npos);
        const std::string answer = switching();
        const std::size_t second = cut % answer.size();
        if (second != 0) say(answer.substr(0, second));
        EXPECT_EQ(opens, 0);
        say(answer.substr(second));
        EXPECT_EQ(opens, 1) << cut;
        EXPECT_TRUE(failures.empty());
    }
}

TEST_F(OpeningClientTest, AProxyThatOpensNoTunnelIsAFailure) {
    for (const int status : {302, 403, 407, 502}) {
        start(kThroughProxy);
        say("HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: 5\r\n\r\nsorry");
        ASSERT_EQ(failures.size(), 1u);
        EXPECT_EQ(failures[0].status, status);
        EXPECT_TRUE(failures[0].from_proxy && failures[0].connected);
        EXPECT_EQ(failures[0].content, "sorry");
        run();
        EXPECT_EQ(near.connections(), 0u);
    }
}

TEST_F(OpeningClientTest, AnAuthorityThatWouldBreakOutOfItsLineIsNotSent) {
    start({.host = "server", .tunnel = {"server:80\r\nX: y", ""}});
    EXPECT_EQ(got, "");
    ASSERT_EQ(failures.size(), 1u);
}

TEST_F(OpeningClientTest, ResponsesBeforeTheFinalOneAreSkipped) {  // RFC 9110 section 15.2
    start({.host = "server"});
    say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Pro");
    EXPECT_TRUE(failures.empty());
    say("cessing\r\n\r\n" + switching());
    EXPECT_EQ(opens, 1);
    start(kThroughProxy);
    got.clear();
    say(std::string("HTTP/1.1 100 Continue\r\n\r\n") + kOpen);
    EXPECT_TRUE(got.starts_with("GET /x "));
}

TEST_F(OpeningClientTest, AnotherStatusIsReportedWithItsContentAtEveryCut) {
    const std::string answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\n";
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
        start({.host = "server"});
        say(answer.substr(0, cut));
        EXPECT_TRUE(failures.empty());
        say(answer.substr(cut) + "who is it");
        ASSERT_EQ(failures.size(), 1u) << cut;
        EXPECT_EQ(failures[0].status, 401);
        EXPECT_EQ(failures[0].content, "who is it");
        EXPECT_TRUE(failures[0].connected && !failures[0].from_proxy);
    }
}

TEST_F(OpeningClientTest, AHeadWithoutEndIsRefusedAtTheLimit) {
    start({.host = "server"});
    std::string endless = "HTTP/1.1 101 Switching Protocols\r\n";
    while (endless.size() < (20u << 10))
        endless += "X-Filler: 0123456789012345678901234567890123456789\r\n";
    say(endless);
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].status, 0);
}

}  // namespace
}  // namespace millrace::test
