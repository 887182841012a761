#include <doctest/doctest.h>

#include "server_fixture.h"

using namespace calhost;
using namespace calhost::net;
using namespace std::string_literals;

namespace {

Task<Response> fine(Request& request) { co_return Response::text(200, request.path + "\n"); }

std::string head(std::string line, std::string fields = "Host: h\r\n") {
    return line + "\r\n" + fields + "\r\n";
}
std::string with(std::string fields) {
    return head("POST / HTTP/1.1", "Host: h\r\n" + fields + "\r\n");
}
std::string path(std::string target) { return head("GET " + target + " HTTP/1.1"); }

struct Row {
    std::string what;
    std::string bytes;
    int status = 400;
};

std::vector<Row> malformed() {
    const std::string chunked = with("Transfer-Encoding: chunked");
    return {
        // Request line
        {"no target", head("GET HTTP/1.1")},
        {"no version", head("GET /")},
        {"two spaces", head("GET  / HTTP/1.1")},
        {"space behind", head("GET / HTTP/1.1 ")},
        {"tab as separator", head("GET\t/\tHTTP/1.1")},
        {"space first", head(" GET / HTTP/1.1")},
        {"no method", head(" / HTTP/1.1")},
        {"method with a slash", head("G/T / HTTP/1.1")},
        {"method with a colon", head("GET: / HTTP/1.1")},
        {"HTTP/2.0", head("GET / HTTP/2.0")},
        {"HTTP/0.9", head("GET / HTTP/0.9")},
        {"HTTP/1.2", head("GET / HTTP/1.2")},
        {"HTTP/1.10", head("GET / HTTP/1.10")},
        {"http/1.1", head("GET / http/1.1")},
        {"HTTPS/1.1", head("GET / HTTPS/1.1")},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s},
        // Target
        {"relative path", path("index.html")},
        {"asterisk", path("*")},
        {"authority form", head("CONNECT h:443 HTTP/1.1")},
        {"another scheme", path("ftp://h/")},
        {"user information", path("http://u:p@h/")},
        {"absolute without host", path("http:///x")},
        {"fragment", path("/a#b")},
        {"raw UTF-8", path("/\xc3\xa4")},
        {"dot segment", path("/a/../b")},
        {"dot segment at the end", path("/a/..")},
        {"single dot", path("/./a")},
        {"encoded dot segment", path("/a/%2e%2e/b")},
        {"half encoded dot segment", path("/a/.%2E/b")},
        {"encoded slash", path("/a%2fb")},
        {"encoded backslash", path("/a%5cb")},
        {"backslash", path("/a\\b")},
        {"encoded NUL", path("/a%00b")},
        {"encoded line break", path("/a%0d%0ab")},
        {"encoded DEL", path("/a%7fb")},
        {"broken escape", path("/a%zz")},
        {"escape cut off", path("/a%4")},
        {"overlong UTF-8", path("/%c0%ae%c0%ae/")},
        {"surrogate", path("/%ed%a0%80")},
        {"broken escape in the query", path("/?a=%zz")},
        {"no UTF-8 in the query", path("/?a=%ff")},
        // Lines and bytes
        {"bare LF", "GET / HTTP/1.1\nHost: h\n\n"},
        {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n"},
        {"bare LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n"},
        {"bare CR", "GET / HTTP/1.1\rHost: h\r\r"},
        {"CR in a value", with("A: b\rc")},
        {"two CR", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"},
        {"NUL in the line", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s},
        {"NUL in a name", with("A\0B: c"s)},
        {"NUL in a value", with("A: b\0c"s)},
        {"escape in a value", with("A: \x1b[2J")},
        {"DEL in a value", with("A: b\x7f")},
        {"vertical tab", with("A: b\vc")},
        // Fields
        {"folded field", with("A: b\r\n c")},
        {"folded with a tab", with("A: b\r\n\tc")},
        {"fold before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
        {"space before the colon", with("A : b")},
        {"no colon", with("Accept")},
        {"no name", with(": b")},
        {"name with a space", with("A b: c")},
        {"name with a parenthesis", with("A(b): c")},
        {"name in UTF-8", with("\xc3\xa4: c")},
        {"no Host", head("GET / HTTP/1.1", "")},
        {"two Hosts", head("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n")},
        {"Host with a path", head("GET / HTTP/1.1", "Host: a/b\r\n")},
        {"Host with a user", head("GET / HTTP/1.1", "Host: u@a\r\n")},
        {"Host list", head("GET / HTTP/1.1", "Host: a, b\r\n")},
        {"empty Host", head("GET / HTTP/1.1", "Host:\r\n")},
        {"Host with a bad port", head("GET / HTTP/1.1", "Host: a:b\r\n")},
        // Length
        {"length and chunked", with("Content-Length: 3\r\nTransfer-Encoding: chunked") + "abc"},
        {"chunked and length", with("Transfer-Encoding: chunked\r\nContent-Length: 3") + "abc"},
        {"two lengths", with("Content-Length: 3\r\nContent-Length: 4") + "abcd"},
        {"two equal lengths", with("Content-Length: 3\r\nContent-Length: 3") + "abc"},
        {"list of lengths", with("Content-Length: 3, 4") + "abcd"},
        {"list of equal lengths", with("Content-Length: 3, 3") + "abc"},
        {"negative length", with("Content-Length: -1")},
        {"signed length", with("Content-Length: +3") + "abc"},
        {"hexadecimal length", with("Content-Length: 0x3") + "abc"},
        {"length with a space", with("Content-Length: 3 3") + "abc"},
        {"empty length", with("Content-Length:")},
        {"length beyond 64 bits", with("Content-Length: 99999999999999999999")},
        {"another coding", with("Transfer-Encoding: gzip")},
        {"gzip, chunked", with("Transfer-Encoding: gzip, chunked")},
        {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
        {"chunked, chunked", with("Transfer-Encoding: chunked, chunked")},
        {"xchunked", with("Transfer-Encoding: xchunked")},
        {"identity", with("Transfer-Encoding: identity")},
        {"chunked in 1.0", head("POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n")},
        // Chunks
        {"no chunk size", chunked + "\r\nabc\r\n0\r\n\r\n"},
        {"chunk size no number", chunked + "x\r\nabc\r\n"},
        {"negative chunk size", chunked + "-3\r\nabc\r\n"},
        {"chunk size with 0x", chunked + "0x3\r\nabc\r\n0\r\n\r\n"},
        {"bare LF behind a chunk size", chunked + "3\nabc\n0\n\n\r\n"},
        {"chunk longer than its size", chunked + "2\r\nabc\r\n0\r\n\r\n"},
        {"chunk shorter than its size", chunked + "4\r\nabc\r\n0\r\n\r\n"},
        {"space before a chunk size", chunked + " 3\r\nabc\r\n0\r\n\r\n"},
        {"broken trailer", chunked + "0\r\nA b\r\n\r\n"},
        {"chunk size beyond 64 bits", chunked + "fffffffffffffffff\r\n"},
        // Too much
        {"long body", with("Content-Length: 1048577"), 413},
        {"long target", path("/" + std::string(8192, 'a')), 414},
        {"long first line without an end", "GET /" + std::string(9000, 'a'), 414},
        {"long field", with("A: " + std::string(16384, 'a')), 431},
        {"long field without an end", "GET / HTTP/1.1\r\nA: " + std::string(20000, 'a'), 431},
        {"101 fields",
         [] {
             std::string fields;
             for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
             return with(fields + "B: c");
         }(),
         431},
        {"endless chunk extension", chunked + "3;a=" + std::string(100'000, 'b'), 400},
    };
}

}  // namespace

TEST_CASE("malformed: each of these is refused with its status, and the connection ends") {
    test::ServerFixture fixture(fine);
    std::size_t count = 0;
    for (const auto& [what, bytes, status] : malformed()) {
        CAPTURE(what);
        const auto answer = fixture.exchange(bytes);
        CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
        CHECK(answer.contains("application/problem+json"));
        CHECK(answer.contains("\r\nConnection: close\r\n"));
        // Nothing behind the first answer: what follows is not read as another request.
        CHECK(answer.find("HTTP/1.1 2") == answer.npos);
        ++count;
    }
    CHECK(count >= 100);
}

TEST_CASE("malformed: what only looks odd is served") {
    test::ServerFixture fixture(fine);
    const std::string close = "Host: h\r\nConnection: close\r\n";
    for (const auto& bytes :
         {head("GET / HTTP/1.1", "host:h\r\nconnection:\tclose\t\r\n"),
          "\r\n" + head("GET / HTTP/1.1", close), head("GET http://other:80/a?b HTTP/1.1", close),
          head("GET http://other HTTP/1.1", close), head("OPTIONS * HTTP/1.1", close),
          head("GET /a//b/...;v=1/%7E HTTP/1.1", close),
          head("GET / HTTP/1.1", close + "A: \xe4\r\nB:\r\n"),
          head("GET / HTTP/1.1", "Host: [::1]:80\r\nConnection: close\r\n"),
          head("POST / HTTP/1.1", close + "Transfer-Encoding: Chunked\r\n") + "0\r\n\r\n",
          head("POST / HTTP/1.1", close + "Content-Length: 003\r\n") + "abc",
          head("GET /" + std::string(8000, 'a') + " HTTP/1.1", close)}) {
        CAPTURE(bytes.substr(0, 40));
        CHECK(fixture.exchange(bytes).starts_with("HTTP/1.1 200 "));
    }
}

TEST_CASE("malformed: random changes of a good request never bring the server down") {
    test::ServerFixture fixture(fine);
    const std::string good =
        head("POST /a%20b?c=d HTTP/1.1", "Host: h\r\nTransfer-Encoding: chunked\r\nX: y\r\n") +
        "3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n";
    test::SeededRandom random(11);
    int answered = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string bytes = good;
        for (auto changes = 1 + random_below(random, 4); changes > 0; --changes) {
            const auto at = random_below(random, bytes.size());
            if (random_below(random, 2) == 0)
                bytes[at] = static_cast<char>(random_below(random, 256));
            else
                bytes.insert(at, bytes.substr(random_below(random, bytes.size()), 5));
        }
        // The end of the stream, so that no broken length is waited for.
        const auto ask = [&]() -> Task<std::string> {
            auto peer = fixture.client();
            co_await peer.connect(fixture.server().port());
            co_await peer.send(bytes);
            boost::system::error_code ignored;
            peer.socket().shutdown(Socket::shutdown_send, ignored);
            co_return co_await peer.read_all();
        };
        const auto answer = test::run(fixture.context, ask());
        CHECK_FALSE(answer.starts_with("HTTP/1.1 5"));
        answered += answer.starts_with("HTTP/1.1 ") ? 1 : 0;
    }
    CHECK(answered > 2000);
    CHECK(fixture.exchange(head("GET / HTTP/1.1", "Host: h\r\nConnection: close\r\n"))
              .starts_with("HTTP/1.1 200 "));
}
