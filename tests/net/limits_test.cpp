#include <doctest/doctest.h>

#include <thread>

#include "server_fixture.h"

using namespace calhost;
using namespace calhost::net;
using namespace std::chrono_literals;
using test::RawClient;
using test::ServerFixture;

namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

Task<Response> fine(Request& request) { co_return Response::text(200, request.body); }

bool has_status(std::string_view answer, int status) {
    return answer.starts_with(fmt::format("HTTP/1.1 {} ", status));
}

}  // namespace

TEST_CASE("limits: whoever stalls is told 408 in a request, and nothing outside of one") {
    struct Row {
        std::string what;
        std::string bytes;
        milliseconds wait;
        int status;  // 0: closed without an answer; 1: still open
    };
    const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
    const Row rows[] = {
        {"nothing at all", "", 10s, 0},
        {"half a head", "GET / HTTP/1.1\r\nHo", 10s, 408},
        {"half a body", post + "abc", 30s, 408},
        {"too slow a body", post + "abc", 6s, 408},
        {"half a chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
         6s, 408},
    };
    for (const auto& [what, bytes, wait, status] : rows) {
        CAPTURE(what);
        ServerFixture fixture(fine);
        const auto answer = test::run(fixture.context, fixture.stall(bytes, wait));
        if (status == 0)
            CHECK(answer.empty());
        else
            CHECK(has_status(answer, status));
    }
}

TEST_CASE("limits: a connection may be idle for 30 s and a head may take just under 10 s") {
    ServerFixture fixture(fine);
    const auto patient = [&]() -> Task<> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        CHECK(has_status(co_await peer.ask(kGet), 200));
        co_await fixture.settle();
        fixture.time.advance(29s);
        co_await fixture.settle();
        CHECK(has_status(co_await peer.ask(kGet), 200));
        co_await peer.send("GET / HTTP/1.1\r\n");
        co_await fixture.settle();
        fixture.time.advance(9s);
        co_await fixture.settle();
        CHECK(has_status(co_await peer.ask("Host: h\r\n\r\n"), 200));
        co_await fixture.settle();
        fixture.time.advance(31s);
        CHECK((co_await peer.read_all()).empty());
    };
    test::run(fixture.context, patient());
}

TEST_CASE("limits: a head that drips does not gain time") {
    ServerFixture fixture(fine);
    const auto drip = [&]() -> Task<std::string> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        for (int i = 0; i < 11; ++i) {
            co_await peer.send(i == 0 ? "GET / HTTP/1.1\r\n" : "A: b\r\n");
            co_await fixture.settle();
            fixture.time.advance(1s);
            co_await fixture.settle();
        }
        co_return co_await peer.read_all();
    };
    CHECK(has_status(test::run(fixture.context, drip()), 408));
}

TEST_CASE("limits: a client that does not read its answer is let go") {
    ServerFixture fixture([](Request&) -> Task<Response> {
        co_return Response::text(200, std::string(32U << 20U, 'x'));
    });
    const auto deaf = [&]() -> Task<> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        co_await peer.send(kGet);
        co_await fixture.settle();
        CHECK(read_counts(*fixture.counts).connections == 1);
        fixture.time.advance(31s);
        co_await fixture.settle();
        CHECK(read_counts(*fixture.counts).connections == 0);
    };
    test::run(fixture.context, deaf());
}

TEST_CASE("limits: a host that is full says 503 and when to come back") {
    for (const bool by_address : {false, true}) {
        CAPTURE(by_address);
        ServerOptions options;
        (by_address ? options.limits.connections_per_address : options.limits.connections) = 2;
        ServerFixture fixture(fine, options);
        const auto crowd = [&]() -> Task<> {
            auto one = fixture.client(), two = fixture.client(), three = fixture.client();
            for (auto* peer : {&one, &two}) {
                co_await peer->connect(fixture.server().port());
                CHECK(has_status(co_await peer->ask(kGet), 200));
            }
            co_await three.connect(fixture.server().port());
            const auto refused = co_await three.ask(kGet);
            CHECK(has_status(refused, 503));
            CHECK(refused.contains("\r\nRetry-After: 1\r\n"));
            CHECK(refused.contains("overloaded"));
            CHECK(read_counts(*fixture.counts).refused == 1);
            one.socket().close();
            co_await fixture.settle();
            auto four = fixture.client();
            co_await four.connect(fixture.server().port());
            CHECK(has_status(co_await four.ask(kGet), 200));
        };
        test::run(fixture.context, crowd());
    }
}

TEST_CASE("limits: a trusted proxy may hold more connections than one client") {
    ServerOptions options;
    options.limits.connections_per_address = 1;
    options.trusted_proxies = {"127.0.0.1"};
    ServerFixture fixture(fine, options);
    const auto two = [&]() -> Task<> {
        auto first = fixture.client(), second = fixture.client();
        for (auto* peer : {&first, &second}) {
            co_await peer->connect(fixture.server().port());
            CHECK(has_status(co_await peer->ask(kGet), 200));
        }
    };
    test::run(fixture.context, two());
}

TEST_CASE("shutdown: idle connections end at once, a running request is answered first") {
    SteadyTimer* gate = nullptr;
    ServerFixture fixture([&gate](Request& request) -> Task<Response> {
        if (request.path == "/slow") {
            SteadyTimer timer(co_await boost::asio::this_coro::executor,
                              SteadyTimer::time_point::max());
            gate = &timer;
            boost::system::error_code woken;
            co_await timer.async_wait(boost::asio::redirect_error(use_task, woken));
        }
        co_return Response::text(200, "done");
    });
    const auto stop = [&]() -> Task<> {
        auto idle = fixture.client(), busy = fixture.client(), late = fixture.client();
        co_await idle.connect(fixture.server().port());
        CHECK(has_status(co_await idle.ask(kGet), 200));
        co_await busy.connect(fixture.server().port());
        co_await busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
        while (gate == nullptr) co_await fixture.settle();
        const auto port = fixture.server().port();
        fixture.server().stop();
        CHECK((co_await idle.read_all()).empty());
        CHECK(fixture.is_serving);
        boost::system::error_code refused;
        co_await late.socket().async_connect({boost::asio::ip::address_v4::loopback(), port},
                                             boost::asio::redirect_error(use_task, refused));
        CHECK(refused);
        gate->cancel();
        const auto answer = co_await busy.read_all();
        CHECK(has_status(answer, 200));
        CHECK(answer.contains("\r\nConnection: close\r\n"));
        co_await fixture.settle();
        CHECK_FALSE(fixture.is_serving);
    };
    test::run(fixture.context, stop());
}

TEST_CASE("shutdown: a request that takes longer than the time for it is cancelled") {
    bool was_cancelled = false;
    ServerFixture fixture([&was_cancelled](Request&) -> Task<Response> {
        SteadyTimer never(co_await boost::asio::this_coro::executor,
                          SteadyTimer::time_point::max());
        try {
            co_await never.async_wait(use_task);
        } catch (const boost::system::system_error&) {
            was_cancelled = true;
            throw;
        }
        co_return Response{};
    });
    const auto stop = [&]() -> Task<> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        co_await peer.send(kGet);
        co_await fixture.settle();
        fixture.server().stop();
        fixture.time.advance(9s);
        co_await fixture.settle();
        CHECK_FALSE(was_cancelled);
        fixture.time.advance(2s);
        co_await fixture.settle();
        CHECK(was_cancelled);
        CHECK_FALSE(fixture.is_serving);
    };
    test::run(fixture.context, stop());
}

TEST_CASE("stream: pieces arrive as they are made, until an empty one or until the client goes") {
    int made = 0;
    ServerFixture fixture([&made](Request&) -> Task<Response> {
        Response response{200, {{"Content-Type", "text/event-stream"}}, {}};
        response.stream = [&made]() -> Task<std::string> {
            co_return ++made > 2 ? "" : fmt::format("data: {}\n\n", made);
        };
        co_return response;
    });
    const auto chunked = fixture.exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(chunked.contains("\r\nTransfer-Encoding: chunked\r\n"));
    CHECK(chunked.ends_with("\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
    made = 0;
    const auto old = fixture.exchange("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.ends_with("\r\n\r\ndata: 1\n\ndata: 2\n\n"));
    CHECK_FALSE(old.contains("chunked"));
}

TEST_CASE("workers: several servers share a port and their counts") {
    constexpr int kWorkers = 3, kRequests = 200;
    auto counts = make_server_counts();
    std::uint16_t port = 0;
    struct Worker {
        boost::asio::io_context context{1};
        SystemClock clock;
        SystemTimers timers;
        test::SeededRandom random{3};
        std::optional<Server> server;
        std::thread thread;
    };
    std::vector<std::unique_ptr<Worker>> workers;
    for (int i = 0; i < kWorkers; ++i) {
        auto& worker = *workers.emplace_back(std::make_unique<Worker>());
        ServerOptions options;
        options.listen = {"127.0.0.1", port};
        worker.server.emplace(worker.context.get_executor(), options, fine, test::problem,
                              worker.clock, worker.timers, worker.random, counts);
        REQUIRE(worker.server->open().has_value());
        port = worker.server->port();
        boost::asio::co_spawn(worker.context, worker.server->serve(), boost::asio::detached);
        worker.thread = std::thread([&worker] { worker.context.run(); });
    }
    boost::asio::io_context context;
    int good = 0;
    const auto ask = [&]() -> Task<> {
        for (int i = 0; i < kRequests; ++i) {
            RawClient peer(context.get_executor());
            co_await peer.connect(port);
            for (int j = 0; j < 3; ++j) good += has_status(co_await peer.ask(kGet), 200) ? 1 : 0;
        }
    };
    test::run(context, ask());
    for (auto& worker : workers)
        boost::asio::post(worker->context, [&server = *worker->server] { server.stop(); });
    for (auto& worker : workers) worker->thread.join();
    CHECK(good == kRequests * 3);
    CHECK(read_counts(*counts).requests == kRequests * 3);
    CHECK(read_counts(*counts).connections == 0);
}
