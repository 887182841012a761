// Providers whose service is at an address that a person entered.
#include "base/encoding.h"
#include "plugin/account_access.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// The account's id as `body` gives it.
std::string run(Bench& bench) {
    AccountAccess access;
    const auto identity = bench.time.wait(bench.provider->identity(access));
    return identity ? identity->id : outcome_of(identity);
}

TEST_CASE("account: paths are on its origin, links lead to origins that are granted") {
    struct Case {
        std::string url, result;
    };
    for (const auto& row : std::vector<Case>{
             {"/x", "ok"},
             {"//evil.example/x", "ok"},  // a path with an empty segment, on the same host
             {"https://cloud.example/y", "ok"},
             {"https://CLOUD.example/y", "ok"},
             {"https://p42.icloud.example/1/", "ok"},
             {"https://a.b.icloud.example/", "ok"},
             {"https://icloud.example/", "forbidden"},
             {"https://evilicloud.example/", "forbidden"},
             {"https://p42.icloud.example:8443/", "forbidden"},
             {"https://p42.icloud.example.evil.example/", "forbidden"},
             {"http://p42.icloud.example/", "forbidden"},
             {"http://cloud.example/", "forbidden"},
             {"https://cloud.example:8443/", "forbidden"},
             {"https://evil.example/", "forbidden"},
             {"https://evil.example/?.icloud.example", "forbidden"},
             {"https://evil.example#.icloud.example", "forbidden"},
             {"https://cloud.example@evil.example/", "invalid"},
             {"https://ann@cloud.example/", "invalid"},
             {"https://evil.example\\.icloud.example/", "invalid"},
             {"ftp://cloud.example/", "invalid"},
             {"x", "invalid"},
             {"", "invalid"}}) {
        CAPTURE(row.url);
        Bench bench("function M.identity(ctx) local answer, err = ctx.http:get([[" + row.url +
                    "]]) return { id = err and err.code or 'ok' } end");
        CHECK(run(bench) == row.result);
        REQUIRE(bench.transport.requests.size() == (row.result == "ok" ? 1 : 0));
        for (const auto& request : bench.transport.requests) {
            CHECK(request.is_user_address);
            CHECK(request.max_redirects == 0);
        }
    }
}

TEST_CASE("account: the password goes out as HTTP Basic, and the script never sees it") {
    Bench bench(R"(M.auth.kind = "basic"
        function M.identity(ctx)
          local seen = {}
          local function look(value, depth)
            if type(value) == "table" and depth < 9 then
              for k, v in pairs(value) do look(k, depth + 1) look(v, depth + 1) end
            else seen[#seen + 1] = tostring(value) end
          end
          look(ctx.http:request({ method = "PROPFIND", url = ctx.account.home }), 0) look(ctx, 0)
          return { id = table.concat(seen, "|") }
        end)");
    const auto seen = run(bench);
    const auto& request = bench.transport.requests.at(0);
    CHECK(request.headers.get("Authorization") == "Basic " + base64_encode("ann:s3cret:pass"));
    CHECK(request.method == "PROPFIND");
    CHECK(request.url == "https://cloud.example/dav/ann/");
    CHECK(seen.contains("https://cloud.example/dav/"));
    CHECK_FALSE(seen.contains("s3cret"));
    CHECK_FALSE(seen.contains(base64_encode("ann:s3cret:pass")));
}

TEST_CASE("account: what uses up the budget sets aside only the account whose server sent it") {
    Bench bench(
        "function M.identity(ctx) while ctx.account.url:find('evil') do end "
        "return { id = 'ok' } end");
    AccountAccess evil, good;
    evil.home.url = "https://evil.example/";
    good.id = "c2";
    const auto ask = [&](AccountAccess& access) {
        return outcome_of(bench.time.wait(bench.provider->identity(access)));
    };
    for (int i = 0; i < 3; ++i) CHECK(ask(evil).starts_with("invalid_response"));
    CHECK(ask(evil).starts_with("unavailable"));
    CHECK(ask(good) == "ok");
    CHECK(ask(evil).starts_with("unavailable"));
}

TEST_CASE("account: what a script discovers is kept as it is") {
    Bench bench("function M.discover(ctx) return { home = ctx.account.url .. 'x', n = 1 } end");
    AccountAccess access;
    const auto found = bench.time.wait(bench.provider->discover(access));
    REQUIRE(found.has_value());
    CHECK(json::serialize(*found).contains("https://cloud.example/dav/x"));
    for (const std::string size : {"16000", "17000"}) {
        Bench much("function M.discover(ctx) return { a = ('x'):rep(" + size + ") } end");
        CHECK(much.time.wait(much.provider->discover(access)).has_value() == (size == "16000"));
    }
    Bench none("function M.discover(ctx) return nil end");
    CHECK_FALSE(none.time.wait(none.provider->discover(access)).has_value());
}

}  // namespace
