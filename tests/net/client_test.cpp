#include "net/client.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "server_fixture.h"
#include "tls_files.h"

using namespace calhost;
using namespace calhost::net;
using namespace std::chrono_literals;
using test::ServerFixture;

namespace {

/// Every name leads to the loopback.
class LoopbackResolver final : public Resolver {
  public:
    Task<Result<std::vector<std::string>>> resolve(std::string) override {
        co_return std::vector<std::string>{"127.0.0.1"};
    }
};

std::unique_ptr<Transport> make_client(boost::asio::io_context& context, test::ManualTime& time,
                                       ClientOptions options = {}) {
    return make_http_client(context.get_executor(), std::move(options),
                            std::make_unique<LoopbackResolver>(), time, time);
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string bytes(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    deflate(&stream, Z_FINISH);
    bytes.resize(stream.total_out);
    deflateEnd(&stream);
    return bytes;
}

/// A server that says what it is told, whatever it is asked: one script a connection.
class Scripted {
  public:
    struct Step {
        std::string say;
        bool then_reset = false;
        bool then_hang = false;
        bool then_read = false;  // closes only when the next request has begun
    };
    explicit Scripted(std::vector<Step> steps) {
        acceptor_.open(boost::asio::ip::tcp::v4());
        acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
        acceptor_.listen();
        boost::asio::co_spawn(context, play(std::move(steps)), boost::asio::detached);
    }
    std::string url() { return fmt::format("http://h:{}/", acceptor_.local_endpoint().port()); }

    boost::asio::io_context context;
    test::ManualTime time;
    int accepted = 0;

  private:
    Task<> play(std::vector<Step> steps) {
        for (const auto& step : steps) {
            auto socket = co_await acceptor_.async_accept(use_task);
            ++accepted;
            co_await read_head(socket);
            co_await boost::asio::async_write(socket, boost::asio::buffer(step.say), use_task);
            if (step.then_read) co_await read_head(socket);
            if (step.then_reset) socket.set_option(Socket::linger(true, 0));
            if (step.then_hang) hanging_.push_back(std::move(socket));
        }
    }
    static Task<std::string> read_head(Socket& socket) {
        std::string text;
        char bytes[4096];
        while (!text.contains("\r\n\r\n"))
            text.append(bytes,
                        co_await socket.async_read_some(boost::asio::buffer(bytes), use_task));
        co_return text;
    }
    Acceptor acceptor_{context.get_executor()};
    std::vector<Socket> hanging_;
};

Result<ClientResponse> ask(Scripted& server, ClientRequest request = {}) {
    auto client = make_client(server.context, server.time);
    request.url = server.url();
    return test::run(server.context, client->send(request));
}

/// Says what it was asked; "/gzip" is compressed, "/to?<url>" redirects.
Task<Response> origin(Request& request) {
    if (request.path == "/gzip")
        co_return Response{200, {{"Content-Encoding", "gzip"}}, gzip(std::string(100'000, 'a'))};
    if (request.path == "/to") co_return Response::redirect(std::string(request.query.get("url")));
    if (request.path == "/never") {
        SteadyTimer never(co_await boost::asio::this_coro::executor,
                          SteadyTimer::time_point::max());
        co_await never.async_wait(use_task);
    }
    co_return Response::text(200, request.method + " " + request.target + " " +
                                      std::string(request.headers.get("Host")) + " " +
                                      std::string(request.headers.get("Authorization")) + " " +
                                      request.body);
}

std::string base(ServerFixture& server, std::string scheme = "http") {
    return fmt::format("{}://calendar.example:{}", scheme, server.server().port());
}

}  // namespace

TEST_CASE("client: requests of one origin share a connection, bodies and fields arrive") {
    ServerFixture server(origin);
    auto client = make_client(server.context, server.time);
    ClientRequest request;
    request.method = "REPORT";
    request.url = base(server) + "/a?b=c#d";
    request.headers = {{"Authorization", "Basic x"}, {"Host", "evil"}, {"Content-Length", "9"}};
    request.body = "<x/>";
    for (int i = 0; i < 3; ++i) {
        const auto response = test::run(server.context, client->send(request)).value();
        CHECK(response.status == 200);
        CHECK(response.body == fmt::format("REPORT /a?b=c calendar.example:{} Basic x <x/>",
                                           server.server().port()));
    }
    CHECK(read_counts(*server.counts).connections == 1);
    request.method = "HEAD";
    request.body.clear();
    const auto head = test::run(server.context, client->send(request)).value();
    CHECK(head.body.empty());
    CHECK(read_counts(*server.counts).connections == 1);
}

TEST_CASE("client: a compressed body is unpacked, up to the cap") {
    ServerFixture server(origin);
    auto client = make_client(server.context, server.time);
    ClientRequest request;
    request.url = base(server) + "/gzip";
    const auto response = test::run(server.context, client->send(request)).value();
    CHECK(response.body == std::string(100'000, 'a'));
    CHECK_FALSE(response.headers.has("Content-Encoding"));
    request.max_body = 99'999;
    CHECK(test::run(server.context, client->send(request)).error().code ==
          ErrorCode::invalid_response);
}

TEST_CASE("client: what a broken server does is one of the codes, never a crash") {
    struct Row {
        std::string what;
        Scripted::Step step;
        std::optional<ErrorCode> code;  // nothing: fine
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n",
                      chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    const Row rows[] = {
        {"length cut off", {ok + "Content-Length: 10\r\n\r\nabc"}, ErrorCode::invalid_response},
        {"head cut off", {ok + "Content-Le"}, ErrorCode::invalid_response},
        {"chunk cut off", {chunked + "5\r\nabc"}, ErrorCode::invalid_response},
        {"last chunk missing", {chunked + "3\r\nabc\r\n"}, ErrorCode::invalid_response},
        {"bad chunk", {chunked + "zz\r\nabc"}, ErrorCode::invalid_response},
        {"not HTTP", {"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, ErrorCode::invalid_response},
        {"bad status", {"HTTP/1.1 xyz OK\r\n\r\n"}, ErrorCode::invalid_response},
        {"two lengths",
         {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
         ErrorCode::invalid_response},
        {"length and chunks",
         {ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
         ErrorCode::invalid_response},
        {"too large", {ok + "Content-Length: 2000\r\n\r\n"}, ErrorCode::invalid_response},
        {"too large to the end",
         {ok + "\r\n" + std::string(2000, 'x')},
         ErrorCode::invalid_response},
        {"too large in chunks", {chunked + "7d0\r\n"}, ErrorCode::invalid_response},
        {"endless head", {ok + "A: " + std::string(100'000, 'x')}, ErrorCode::invalid_response},
        {"broken gzip",
         {ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"},
         ErrorCode::invalid_response},
        {"brotli",
         {ok + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"},
         ErrorCode::invalid_response},
        {"nothing", {""}, ErrorCode::unavailable},
        {"reset", {"", true}, ErrorCode::unavailable},
        {"stall in the body",
         {.say = ok + "Content-Length: 10\r\n\r\nabc", .then_hang = true},
         ErrorCode::timeout},
        {"HTTP/1.0 to the end", {"HTTP/1.0 200 OK\r\n\r\nabc"}, std::nullopt},
        {"early hints first",
         {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 3\r\n\r\nabc"},
         std::nullopt},
    };
    for (const auto& [what, step, code] : rows) {
        CAPTURE(what);
        Scripted server({step});
        ClientRequest request;
        request.max_body = 1000;
        boost::asio::co_spawn(
            server.context,
            [](Scripted& s, bool hangs) -> Task<> {
                if (!hangs) co_return;
                for (int i = 0; i < 200; ++i) co_await boost::asio::post(s.context, use_task);
                s.time.advance(31s);
            }(server, step.then_hang),
            boost::asio::detached);
        const auto response = ask(server, request);
        CHECK(response.has_value() == !code);
        if (response) CHECK(response->body == "abc");
        if (!response && code) CHECK(response.error().code == *code);
        if (!response) CHECK_FALSE(response.error().message.contains("abc"));
    }
}

TEST_CASE("client: nobody there is unavailable, no answer is timeout") {
    ServerFixture server(origin);
    std::string closed;
    {
        Scripted gone({});
        closed = gone.url();
    }
    auto client = make_client(server.context, server.time);
    ClientRequest request;
    request.url = closed;
    CHECK(test::run(server.context, client->send(request)).error().code == ErrorCode::unavailable);
    request.url = base(server) + "/never?token=secret";
    const auto wait = [&]() -> Task<Result<ClientResponse>> {
        boost::asio::co_spawn(
            server.context,
            [](ServerFixture& s) -> Task<> {
                co_await s.settle();
                s.time.advance(30s);
            }(server),
            boost::asio::detached);
        co_return co_await client->send(request);
    };
    const auto late = test::run(server.context, wait());
    CHECK(late.error().code == ErrorCode::timeout);
    CHECK_FALSE(late.error().message.contains("secret"));
}

TEST_CASE("client: a stale connection is replaced once, for idempotent methods only") {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (const std::string method : {"GET", "POST"}) {
        CAPTURE(method);
        Scripted server({{.say = answer, .then_read = true}, {.say = answer}});
        auto client = make_client(server.context, server.time);
        ClientRequest request;
        request.url = server.url();
        CHECK(test::run(server.context, client->send(request)).has_value());
        request.method = method;
        const auto second = test::run(server.context, client->send(request));
        CHECK(second.has_value() == (method == "GET"));
        CHECK(server.accepted == (method == "GET" ? 2 : 1));
    }
}

TEST_CASE("client: permits bound the connections to a host, and the line is fair") {
    ServerFixture server(origin);
    ClientOptions options;
    options.connections_per_host = 2;
    auto client = make_client(server.context, server.time, options);
    std::vector<int> order;
    std::size_t most = 0;
    for (int i = 0; i < 8; ++i)
        boost::asio::co_spawn(
            server.context,
            [](Transport& transport, ServerFixture& s, std::vector<int>& done, std::size_t& seen,
               int number) -> Task<> {
                ClientRequest request;
                request.url = base(s) + "/" + std::to_string(number);
                const auto response = co_await transport.send(request);
                CHECK(response.has_value());
                seen = std::max(seen, read_counts(*s.counts).connections);
                done.push_back(number);
            }(*client, server, order, most, i),
            boost::asio::detached);
    const auto wait = [&]() -> Task<> {
        while (order.size() < 8) co_await server.settle();
    };
    test::run(server.context, wait());
    CHECK(most == 2);
    CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("client: redirects are followed when asked, without credentials for others") {
    ServerFixture server(origin);
    auto client = make_client(server.context, server.time);
    ClientRequest request;
    request.url = base(server) + "/to?url=%2Fend";
    request.headers = {{"Authorization", "Bearer t"}};
    CHECK(test::run(server.context, client->send(request))->status == 302);
    request.max_redirects = 1;
    CHECK(test::run(server.context, client->send(request))->body.contains("/end"));
    CHECK(test::run(server.context, client->send(request))->body.contains("Bearer t"));
    request.url = base(server) +
                  "/to?url=" + fmt::format("http://other.example:{}/end", server.server().port());
    const auto elsewhere = test::run(server.context, client->send(request)).value();
    CHECK(elsewhere.body.contains("other.example"));
    CHECK_FALSE(elsewhere.body.contains("Bearer"));
    request.url = base(server) + "/to?url=%2Fto%3Furl%3D%252Fend";
    CHECK(test::run(server.context, client->send(request))->status == 302);
}

TEST_CASE("client: a request that would break the message never leaves") {
    ServerFixture server(origin);
    auto client = make_client(server.context, server.time);
    ClientRequest request;
    request.url = base(server);
    request.headers = {{"X", "a\r\nY: b"}};
    CHECK(test::run(server.context, client->send(request)).error().code == ErrorCode::invalid);
    request.headers = {{"X Y", "a"}};
    CHECK(test::run(server.context, client->send(request)).error().code == ErrorCode::invalid);
    request.headers = {};
    request.method = "GET / HTTP/1.1\r\nX:";
    CHECK(test::run(server.context, client->send(request)).error().code == ErrorCode::invalid);
    CHECK(read_counts(*server.counts).requests == 0);
}

TEST_CASE("tls: the certificate must be trusted and for that name") {
    const test::TlsPair pair("calendar.example");
    ServerOptions options;
    options.tls = pair.files();
    ServerFixture server(origin, options);
    const auto ask_as = [&](std::string host, std::string ca) {
        ClientOptions client_options;
        client_options.ca_file = std::move(ca);
        auto client = make_client(server.context, server.time, client_options);
        ClientRequest request;
        request.url = fmt::format("https://{}:{}/", host, server.server().port());
        return test::run(server.context, client->send(request));
    };
    const auto good = ask_as("calendar.example", pair.files().certificate);
    REQUIRE_MESSAGE(good.has_value(), good.error().message);
    CHECK(good->headers.get("Strict-Transport-Security") == "max-age=31536000");
    const auto other_name = ask_as("other.example", pair.files().certificate);
    CHECK(other_name.error().code == ErrorCode::unavailable);
    CHECK(other_name.error().message.contains("other.example"));
    CHECK(ask_as("127.0.0.1", pair.files().certificate).error().code == ErrorCode::unavailable);
    CHECK(ask_as("calendar.example", "").error().code == ErrorCode::unavailable);
}

TEST_CASE("tls: two requests share a connection, and a plain client gets no answer") {
    const test::TlsPair pair("calendar.example");
    ServerOptions options;
    options.tls = pair.files();
    ServerFixture server(origin, options);
    ClientOptions client_options;
    client_options.ca_file = pair.files().certificate;
    auto client = make_client(server.context, server.time, client_options);
    ClientRequest request;
    request.method = "PUT";
    request.url = base(server, "https");
    request.body = std::string(300'000, 'b');
    for (int i = 0; i < 2; ++i)
        CHECK(test::run(server.context, client->send(request))->body.size() > 300'000);
    CHECK(read_counts(*server.counts).connections == 1);
    CHECK(server.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").find("200") == std::string::npos);
}

TEST_CASE("tls: files that are none are a sentence with their name") {
    ServerOptions options;
    options.tls = TlsFiles{"/nowhere/cert.pem", "/nowhere/key.pem"};
    try {
        ServerFixture server(origin, options);
        FAIL("opened");
    } catch (const std::runtime_error& error) {
        CHECK(std::string(error.what()).contains("/nowhere/cert.pem"));
    }
}
