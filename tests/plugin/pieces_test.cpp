// Retry-After, the breaker, the frontend's paths and provider tables.
#include "plugin/bench.h"
#include "plugin/http_object.h"

using namespace calhost;
using namespace calhost::plugin;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("retry after: seconds, a date, or nothing") {
    const auto now = parse_rfc3339("2026-11-20T09:00:00Z").value();
    struct Case {
        std::string header;
        std::optional<milliseconds> wait;
    };
    for (const auto& row :
         std::vector<Case>{{"0", 0ms},
                           {"5", 5s},
                           {"3600", 1h},
                           {"999999999", 24h},  // nobody is believed for longer than a day
                           {"-5", 0ms},
                           {"Fri, 20 Nov 2026 09:00:30 GMT", 30s},
                           {"Fri, 20 Nov 2026 08:00:00 GMT", 0ms},
                           {"Fri, 20 Nov 2027 09:00:00 GMT", 24h},
                           {"", std::nullopt},
                           {"soon", std::nullopt},
                           {"5 seconds", std::nullopt},
                           {"1.5", std::nullopt},
                           {"99999999999999999999999", std::nullopt},
                           {"Fri, 20 Nov 2026 09:00:30 UTC", std::nullopt},
                           {"Fri, 20 Xxx 2026 09:00:30 GMT", std::nullopt},
                           {"Fri, 20 anF 2026 09:00:30 GMT", std::nullopt},
                           {"Fri, 20 Nov 2026 99:00:30 GMT", std::nullopt}}) {
        CAPTURE(row.header);
        net::Headers headers;
        if (!row.header.empty()) headers.set("retry-after", row.header);
        CHECK(retry_after_of(headers, now) == row.wait);
    }
}

TEST_CASE("breaker: opens after three overruns in a row, doubles to an hour, closes on success") {
    boost::asio::io_context context;
    VirtualTime time{context};
    Breaker breaker("acme", time);
    const auto wait = [&] {
        const auto admitted = breaker.admit();
        return admitted ? 0ms : admitted.error().retry_after.value();
    };
    breaker.report(lua::Overrun::instructions);
    breaker.report(lua::Overrun::memory);
    CHECK(wait() == 0ms);
    breaker.report(lua::Overrun::none);  // not in a row
    breaker.report(lua::Overrun::deadline);
    breaker.report(lua::Overrun::deadline);
    CHECK(wait() == 0ms);
    breaker.report(lua::Overrun::deadline);
    CHECK(wait() == 1min);
    for (const auto minutes : {2min, 4min, 8min, 16min, 32min, 60min, 60min}) {
        time.advance(wait());
        CHECK(wait() == 0ms);  // half open: one call decides
        breaker.report(lua::Overrun::instructions);
        CHECK(wait() == minutes);
    }
    time.advance(1h);
    breaker.report(lua::Overrun::none);
    breaker.report(lua::Overrun::instructions);
    CHECK(wait() == 0ms);
}

TEST_CASE("frontend path: one slash, and no way out of the frontend however it is spelled") {
    for (const std::string good :
         {"/", "/calls", "/dashboard/mentor?tab=calls", "/a/b/c#part", "/x?next=https://x.example",
          "/x?a=..", "/a.b/..c/c..", "/caf%C3%A9", "/a?q=a%20b", "/x#//y", "/~user/@me", "/a:b"})
        CHECK_MESSAGE(is_frontend_path(good), good);
    // Redirects that leave, by combination: what a path may begin with, and where it leads.
    const std::vector<std::string> hosts{
        "evil.example", "evil.example/path", "evil.example:8080", "user@evil.example", "127.0.0.1",
        "[::1]",        "%65vil.example"};
    const std::vector<std::string> fronts{"",         "//",          "///",
                                          "////",     "/\\",         "\\\\",
                                          "\\/",      "\\",          "/%2f",
                                          "/%2F",     "/%5c",        "/%5C",
                                          "%2f%2f",   "/\t/",        "/\n/",
                                          "/\r\n/",   "/ /",         " //",
                                          "\t//",     "http://",     "https://",
                                          "HTTPS://", "https:",      "https:/",
                                          "ftp://",   "javascript:", "data:text/html,",
                                          "mailto:",  "/%09/",       "/%0a/",
                                          "/%0d%0a/", "/%00/",       "/./",
                                          "/../",     "/%2e%2e/",    "/.%2e/",
                                          "/%2E/",    "/a/../../",   "/a/%2e%2e//",
                                          "/%zz/",    "?//",         "#//",
                                          "@",        "/\x7f/",      "/\xff/",
                                          "/\xc0\xaf"};
    int refused = 0;
    for (const auto& front : fronts)
        for (const auto& host : hosts) {
            CAPTURE(front + host);
            CHECK_FALSE(is_frontend_path(front + host));
            ++refused;
        }
    CHECK(refused >= 200);
    CHECK_FALSE(is_frontend_path("/" + std::string(2048, 'a')));
    CHECK_FALSE(is_frontend_path(std::string_view("/a\0b", 4)));
}

TEST_CASE("provider table: scopes by purpose, and what stands for others") {
    Bench bench(R"(M.auth.identity_scopes = { "openid" }
        M.auth.scopes = { full = { "rw", "list" }, availability = { "r" } }
        M.auth.covers = { all = { "rw", "list", "r" }, rw = { "r" } })");
    const auto& info = bench.provider->info();
    CHECK(info.asked_scopes("full") == std::vector<std::string>{"openid", "rw", "list"});
    CHECK(info.asked_scopes("unheard of") == std::vector<std::string>{"openid"});
    CHECK(info.missing_scope("full", {"rw"}) == "list");
    CHECK(info.missing_scope("full", {"openid", "list", "rw"}).empty());
    CHECK(info.missing_scope("full", {"all"}).empty());
    CHECK(info.missing_scope("availability", {"rw"}).empty());
    CHECK(info.missing_scope("availability", {"list"}) == "r");
    CHECK(info.missing_scope("availability", {}) == "r");
    CHECK(split_words("  a  b c ") == std::vector<std::string>{"a", "b", "c"});
    CHECK(split_words("").empty());
}

TEST_CASE("provider table: scripts see the section without its secret") {
    Bench bench("");
    const auto shown = json::serialize(bench.provider->info().config);
    CHECK_FALSE(shown.contains("s3cret"));
    CHECK(shown.contains("https://api.acme.example/v1"));
    CHECK(bench.provider->info().client_secret.expose() == "s3cret-client");
}

}  // namespace
