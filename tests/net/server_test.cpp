#include "net/server.h"

#include <doctest/doctest.h>

#include "base/log.h"
#include "net/address.h"
#include "server_fixture.h"

using namespace calhost;
using namespace calhost::net;
using namespace std::chrono_literals;
using test::RawClient;
using test::ServerFixture;

namespace {

/// Says what arrived: method, path, client and body.
Task<Response> echo(Request& request) {
    if (request.path == "/throw") throw std::runtime_error("a bug");
    if (request.path == "/split")
        co_return Response{200, {{"Location", "a\r\nSet-Cookie: x=1"}}, {}};
    if (request.path == "/none") co_return Response{204, {}, {}};
    if (request.path == "/cached") co_return Response{200, {{"cache-control", "max-age=9"}}, "x"};
    std::string text = request.method + " " + request.path + " " + request.client_address;
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    if (!request.body.empty()) text += " [" + request.body + "]";
    co_return Response::text(200, text);
}

std::string get(std::string_view target, std::string_view fields = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}\r\n", target, fields);
}

/// "HTTP/1.1 200 OK…" → 200; 0 for no answer.
int status_of(std::string_view answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}

std::string field_of(std::string_view answer, std::string_view name) {
    const auto mark = fmt::format("\r\n{}: ", name);
    const auto at = answer.find(mark);
    if (at == answer.npos) return "";
    const auto begin = at + mark.size();
    return std::string(answer.substr(begin, answer.find("\r\n", begin) - begin));
}

std::string body_of(std::string_view answer) {
    return std::string(answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size())));
}

ServerOptions with_limits(ServerLimits limits) {
    ServerOptions options;
    options.limits = limits;
    return options;
}

}  // namespace

TEST_CASE(
    "server: what stands behind a secret's mark in a path is in no log, whatever the answer") {
    ServerFixture fixture(
        [](Request& request) -> Task<Response> {
            if (request.query.has("throw")) throw std::runtime_error("a bug");
            co_return Response::text(request.method == "GET" ? 404 : 405, "no");
        },
        {.limits = {.body = 10}, .secret_behind = {"/links/"}});
    std::string logged;
    log::configure(log::Level::info, log::Format::text);
    log::set_sink([&](std::string_view line) { logged += std::string(line) + "\n"; },
                  log::Echo::off);
    for (const std::string target :
         {"/api/links/s3cret", "/api/links/s3cret/more", "//api//links/s3cret?throw=1",
          "/api/%6cinks/s3cret", "/api/links/s3cret?%zz"})
        fixture.exchange(get(target));
    fixture.exchange("POST /api/links/s3cret HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n");
    fixture.exchange(get("/api/other"));
    log::set_sink({});
    log::configure(log::Level::error, log::Format::text);
    CHECK_FALSE(logged.contains("s3cret"));
    CHECK_MESSAGE(logged.contains("path=\"/api/links/\" status=404"), logged);
    CHECK(logged.contains("status=413"));
    CHECK(logged.contains("path=\"/api/other\""));
}

TEST_CASE("server: an answer carries the id, the date and the security fields") {
    ServerFixture fixture(echo);
    const auto answer = fixture.exchange(get("/a%20b?x=1&y=%C3%A4"));
    CHECK(status_of(answer) == 200);
    CHECK(body_of(answer) == "GET /a b 127.0.0.1 x=1 y=ä");
    CHECK(field_of(answer, "Date") == "Fri, 20 Nov 2026 09:16:40 GMT");
    CHECK(field_of(answer, "X-Request-Id").size() == 36);
    CHECK(field_of(answer, "X-Content-Type-Options") == "nosniff");
    CHECK(field_of(answer, "Referrer-Policy") == "no-referrer");
    CHECK(field_of(answer, "Cache-Control") == "no-store");
    CHECK(field_of(answer, "Strict-Transport-Security").empty());
    const auto cached = fixture.exchange(get("/cached"));
    CHECK(field_of(cached, "cache-control") == "max-age=9");
    CHECK_FALSE(cached.contains("no-store"));
}

TEST_CASE("server: bodies come by length and in chunks, in any pieces, up to the limit") {
    ServerLimits limits;
    limits.body = 10;
    ServerFixture fixture(echo, with_limits(limits));
    const std::string head = "POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    CHECK(body_of(fixture.exchange(head + "Content-Length: 10\r\n\r\n0123456789")) ==
          "POST /p 127.0.0.1 [0123456789]");
    CHECK(status_of(fixture.exchange(head + "Content-Length: 11\r\n\r\n0123456789x")) == 413);
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    CHECK(body_of(fixture.exchange(chunked + "3;a=b\r\nabc\r\nA\r\n")).contains("body_too_large"));
    CHECK(status_of(fixture.exchange(chunked + "ffffffffffffffff\r\n")) == 413);
    const auto in_pieces = [&]() -> Task<std::string> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        for (const char c : chunked + "3\r\nabc\r\n2;x=\"y\"\r\nde\r\n0\r\nTrailer: 1\r\n\r\n") {
            co_await peer.send(std::string(1, c));
            co_await boost::asio::post(fixture.context, use_task);
        }
        co_return co_await peer.read_all();
    };
    CHECK(body_of(test::run(fixture.context, in_pieces())) == "POST /p 127.0.0.1 [abcde]");
}

TEST_CASE("server: a connection serves one request after the other, pipelined ones too") {
    ServerFixture fixture(echo);
    const auto twice = fixture.exchange(
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nPOST /2 HTTP/1.1\r\n"
        "Host: h\r\nContent-Length: 1\r\n\r\nx" +
        get("/3"));
    CHECK(twice.contains("GET /1 "));
    CHECK(twice.contains("POST /2 127.0.0.1 [x]"));
    CHECK(twice.contains("GET /3 "));
    const auto one_by_one = [&]() -> Task<int> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        int good = 0;
        for (int i = 0; i < 5; ++i)
            good += status_of(co_await peer.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) == 200;
        co_return good;
    };
    CHECK(test::run(fixture.context, one_by_one()) == 5);
    CHECK(read_counts(*fixture.counts).requests == 8);
}

TEST_CASE("server: who sends many requests at once takes turns with the others") {
    std::string order;
    ServerFixture fixture([&order](Request& request) {
        order += request.path.substr(1);
        return echo(request);
    });
    const auto hasty_and_other = [&]() -> Task<bool> {
        auto hasty = fixture.client(), other = fixture.client();
        co_await hasty.connect(fixture.server().port());
        co_await other.connect(fixture.server().port());
        co_await fixture.settle();
        std::string many;
        for (int i = 0; i < 20; ++i) many += "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        co_await hasty.send(many);
        co_await other.send("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        co_await fixture.settle();
        co_return true;
    };
    test::run(fixture.context, hasty_and_other());
    CHECK(order.size() == 21);
    CHECK(order.find('b') < 10);
}

TEST_CASE("server: HTTP/1.0 closes unless it asks to go on") {
    ServerFixture fixture(echo);
    CHECK(status_of(fixture.exchange("GET / HTTP/1.0\r\n\r\n")) == 200);
    const auto kept = fixture.exchange(
        "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    CHECK(field_of(kept, "Connection") == "keep-alive");
    CHECK(kept.contains("GET /2 "));
}

TEST_CASE("server: HEAD has the length and no body, 204 has neither") {
    ServerFixture fixture(echo);
    const auto head = fixture.exchange("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(field_of(head, "Content-Length") == "17");
    CHECK(body_of(head).empty());
    const auto none = fixture.exchange(get("/none"));
    CHECK(status_of(none) == 204);
    CHECK(field_of(none, "Content-Length").empty());
}

TEST_CASE("server: a client that expects 100-continue is told to go on, or why not") {
    ServerLimits limits;
    limits.body = 10;
    ServerFixture fixture(echo, with_limits(limits));
    const auto expect = [&](std::string length) -> Task<std::string> {
        auto peer = fixture.client();
        co_await peer.connect(fixture.server().port());
        const auto first = co_await peer.ask(
            "POST /p HTTP/1.1\r\nHost: h\r\nExpect: 100-continue"
            "\r\nContent-Length: " +
            length + "\r\n\r\n");
        if (status_of(first) != 100) co_return first;
        co_return co_await peer.ask("abc");
    };
    CHECK(body_of(test::run(fixture.context, expect("3"))) == "POST /p 127.0.0.1 [abc]");
    CHECK(status_of(test::run(fixture.context, expect("11"))) == 413);
    CHECK(status_of(fixture.exchange(get("/", "Expect: tea\r\n"))) == 417);
}

TEST_CASE("server: a handler's exception is a 500 with the request's id, and a line in the log") {
    ServerFixture fixture(echo);
    std::string lines;
    log::set_sink([&](std::string_view line) { lines += line; });
    for (const auto* path : {"/throw", "/split"}) {
        CAPTURE(std::string(path));
        const auto answer = fixture.exchange(get(path, "X-Request-Id: r-1\r\n"));
        CHECK(status_of(answer) == 500);
        CHECK(field_of(answer, "X-Request-Id") == "r-1");
        CHECK(body_of(answer).contains("internal_error"));
        CHECK_FALSE(answer.contains("a bug"));
        CHECK_FALSE(answer.contains("Set-Cookie"));
    }
    log::set_sink({});
    CHECK(lines.contains("a bug"));
}

TEST_CASE("server: a line in the log for each request, without the query") {
    ServerFixture fixture(echo);
    log::configure(log::Level::info, log::Format::text);
    std::vector<std::string> lines;
    log::set_sink([&](std::string_view line) { lines.emplace_back(line); });
    fixture.exchange(get("/logged?token=secret", "X-Request-Id: r-2\r\n"));
    log::set_sink({});
    REQUIRE(lines.size() == 1);
    for (const auto* part : {"\"/logged\"", "status=200", "\"r-2\"", "\"127.0.0.1\"", "bytes="})
        CHECK_MESSAGE(lines[0].contains(part), part);
    CHECK_FALSE(lines[0].contains("secret"));
}

TEST_CASE("server: the request's id comes from the client when it is a valid one") {
    ServerFixture fixture(echo);
    const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const auto id_for = [&](std::string fields) {
        return field_of(fixture.exchange(get("/", fields)), "X-Request-Id");
    };
    CHECK(id_for("X-Request-Id: Ab-1._\r\n") == "Ab-1._");
    CHECK(id_for("traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n") == trace);
    CHECK(id_for("X-Request-Id: a b\r\ntraceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n") ==
          trace);
    for (const std::string& bad :
         {"X-Request-Id: " + std::string(129, 'a'), std::string("X-Request-Id: a/b"),
          "traceparent: ff-" + trace + "-00f067aa0ba902b7-01",
          "traceparent: 00-" + trace + "-0000000000000000-01",
          "traceparent: 00-" + trace + "-00f067aa0ba902b7-01-more",
          std::string("traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01")})
        CHECK_MESSAGE(id_for(bad + "\r\n").size() == 36, bad);
}

TEST_CASE("server: the client's address comes from a trusted proxy only") {
    ServerOptions behind;
    behind.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8", "fd00::/8"};
    ServerFixture trusting(echo, behind);
    ServerFixture alone(echo);
    const auto client = [](ServerFixture& fixture, std::string fields) {
        const auto body = body_of(fixture.exchange(get("/", fields)));
        return body.substr(body.rfind(' ') + 1);
    };
    const std::pair<const char*, const char*> rows[] = {
        {"", "127.0.0.1"},
        {"X-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7"},
        {"X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.2.3\r\n", "198.51.100.7"},
        {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\n", "198.51.100.7"},
        {"X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n", "10.0.0.1"},
        {"X-Forwarded-For: 198.51.100.7:4711\r\n", "198.51.100.7"},
        {"X-Forwarded-For: [2001:db8::7]:4711\r\n", "2001:db8::7"},
        {"X-Forwarded-For: 6.6.6.6, unknown\r\n", "127.0.0.1"},
        {"X-Forwarded-For: ::ffff:198.51.100.7\r\n", "198.51.100.7"},
    };
    for (const auto& [fields, expected] : rows) {
        CAPTURE(std::string(fields));
        CHECK(client(trusting, fields) == expected);
        CHECK(client(alone, fields) == "127.0.0.1");
    }
    const auto secure = [](ServerFixture& fixture) {
        return fixture.exchange(get("/", "X-Forwarded-Proto: https\r\n"))
            .contains("Strict-Transport-Security: max-age=31536000");
    };
    CHECK(secure(trusting));
    CHECK_FALSE(secure(alone));
}

TEST_CASE("server: an endpoint is an address and a port") {
    CHECK(Endpoint::parse("127.0.0.1:8080")->port == 8080);
    CHECK(Endpoint::parse("[::1]:0")->address == "::1");
    CHECK(Endpoint::parse("localhost:80")->address == "127.0.0.1");
    for (const auto* text : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                             "::1:80", "[::1]", "example.com:80", "127.0.0.1:80x", "[127.0.0.1]:1"})
        CHECK_MESSAGE(Endpoint::parse(text).error().code == ErrorCode::invalid, text);
}

TEST_CASE("server: a port that its owner would share counts as in use") {
    std::optional<ServerFixture> first(std::in_place, echo);
    const Endpoint endpoint{"127.0.0.1", first->server().port()};
    const auto taken = check_unused(endpoint);
    CHECK(taken.error().code == ErrorCode::unavailable);
    CHECK(taken.error().message.contains("127.0.0.1:" + std::to_string(endpoint.port)));
    first.reset();
    CHECK(check_unused(endpoint).has_value());
    CHECK(check_unused({"127.0.0.1", 0}).has_value());
}

TEST_CASE("server: one client has an IPv4 address or the /64 of an IPv6 address") {
    CHECK(client_network("192.0.2.7") == "192.0.2.7");
    CHECK(client_network("::ffff:192.0.2.7") == "::ffff:192.0.2.7");
    CHECK(client_network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
    CHECK(client_network("2001:db8:1:2::") == client_network("2001:db8:1:2:ffff::1"));
    CHECK(client_network("2001:db8:1:3::") != client_network("2001:db8:1:2::"));
    CHECK(client_network("") == "");
}

TEST_CASE("server: an address that is in use is a sentence") {
    ServerFixture first(echo);
    test::SeededRandom random(1);
    ServerOptions options;
    options.listen = {"127.0.0.1", first.server().port()};
    options.reuse_port = false;
    Server second(first.context.get_executor(), options, echo, test::problem, first.time,
                  first.time, random, make_server_counts());
    const auto opened = second.open();
    CHECK(opened.error().code == ErrorCode::unavailable);
    CHECK(opened.error().message.contains(std::to_string(first.server().port())));
}
