// A provider's functions as C++ calls, and its mistakes as clean codes.
#include "base/log.h"
#include "plugin/bench.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("provider: what it returns arrives, and expected failures keep their code") {
    Bench bench(R"(function M.identity(ctx) return { id = "7", email = "a@b.example" } end
        function M.list_calendars(ctx) return nil, { code = "rate_limited", message = "slow", retry_after = 90 } end
        function M.list_changes(ctx, calendar, cursor, page, window)
          assert(calendar.id == "primary" and cursor == nil and page == nil)
          assert(window.start == "2026-11-20T09:00:00Z" and window.finish == "2026-11-27T09:00:00Z")
          return { events = { { id = "gone", deleted = true },
            event.new({ id = "e", title = "T", start = event.date("2026-11-21"), finish = event.date("2026-11-22") }) },
            cursor = "next", time_zone = "Europe/Berlin" }
        end)");
    CHECK(bench.identity()->email == "a@b.example");
    const auto calendars = bench.time.wait(bench.provider->list_calendars(bench.access));
    CHECK(outcome_of(calendars) == "rate_limited: slow");
    CHECK(calendars.error().retry_after == 90s);
    const auto changes = bench.changes();
    REQUIRE(changes.has_value());
    CHECK(changes->deleted == std::vector<std::string>{"gone"});
    CHECK(changes->events.at(0).title == "T");
    CHECK(changes->cursor == "next");
    CHECK_FALSE(changes->page.has_value());
    CHECK(changes->time_zone == "Europe/Berlin");
}

TEST_CASE("provider: changes may be handed over one at a time, until the call is over") {
    Bench bench(R"(local kept
        function M.list_changes(ctx)
          if kept then kept:add({ id = "late", deleted = true }) end
          kept = ctx.changes
          ctx.changes:add({ id = "gone", deleted = true })
          ctx.changes:add({ id = "no times" })
          ctx.changes:add(event.new({ id = "e", start = event.date("2026-11-21"), finish = event.date("2026-11-22") }))
          return { events = { { id = "gone too", deleted = true } }, cursor = "next" }
        end)");
    const auto changes = bench.changes();
    REQUIRE(changes.has_value());
    CHECK(changes->deleted == std::vector<std::string>{"gone", "gone too"});
    CHECK(changes->events.size() == 1);
    CHECK(changes->unreadable == 1);
    CHECK(outcome_of(bench.changes()).starts_with("invalid_response"));
}

TEST_CASE("provider: its bugs are invalid_response, with nothing of their text for the caller") {
    for (const std::string body :
         {"error('s3cret detail')", "error({ code = 'not_found' })", "return nothing.at.all",
          "return 7", "return {}", "return { id = 7 }", "return { id = '' }", "return nil",
          "return", "while true do end", "return ('x'):rep(1e9)",
          "local t = {} while true do t[#t + 1] = {} end",
          "local function f() return f() + 1 end return f()", "return nil, 'no code'",
          "return nil, { code = 'made_up' }", "coroutine.yield(7)",
          "return setmetatable({}, { __index = function() error('x') end })"}) {
        CAPTURE(body);
        Bench bench("function M.identity(ctx) " + body + " end");
        std::string log_text;
        log::set_sink([&](std::string_view line) { log_text += line; });
        const auto identity = bench.identity();
        log::set_sink({});
        REQUIRE_FALSE(identity.has_value());
        CHECK(to_string(identity.error().code) == "invalid_response");
        CHECK_FALSE(identity.error().message.contains("s3cret"));
        CHECK(bench.transport.requests.empty());
        // The next call is served as if nothing had been.
        CHECK(to_string(bench.identity().error().code) == "invalid_response");
        if (body.starts_with("error('")) CHECK(log_text.contains("providers/acme/provider.lua"));
    }
}

TEST_CASE("provider: what a server says of an account has an end") {
    const auto identity = [](const std::string& table) {
        Bench bench("local s = string.rep function M.identity(ctx) return " + table + " end");
        return outcome_of(bench.identity()).substr(0, 16);
    };
    CHECK(identity("{ id = s('x', 1024), email = s('x', 1024), name = s('x', 1024) }") == "ok");
    for (const std::string name : {"id", "email", "name"})
        CHECK(identity("{ id = 'a', [ '" + name + "' ] = s('x', 1025) }") == "invalid_response");
    const auto calendars = [](const std::string& count, const std::string& table) {
        Bench bench(
            "local s = string.rep function M.list_calendars(ctx) local list = {} "
            "for i = 1, " +
            count + " do list[i] = " + table + " end return list end");
        return outcome_of(bench.time.wait(bench.provider->list_calendars(bench.access)))
            .substr(0, 16);
    };
    CHECK(calendars("1000", "{ id = s('x', 1024), name = s('x', 1024) }") == "ok");
    CHECK(calendars("1001", "{ id = 'a' .. i }") == "invalid_response");
    CHECK(calendars("1", "{ name = 'no id' }") == "invalid_response");
    for (const std::string name : {"id", "name", "color", "time_zone"})
        CHECK(calendars("1", "{ id = 'a', [ '" + name + "' ] = s('x', 1025) }") ==
              "invalid_response");
}

TEST_CASE("provider: pages without end are an answer that makes no sense") {
    Bench same("function M.list_changes() return { events = {}, page = '1' } end");
    CHECK(same.changes().has_value());
    const calendar::Window week{same.time.now(), same.time.now() + std::chrono::days{7}};
    const std::string told = "invalid_response: the provider gave the same page again";
    CHECK(outcome_of(same.time.wait(same.provider->list_changes(same.access, "primary",
                                                                std::nullopt, "1", week))) == told);
    CHECK(outcome_of(same.time.wait(
              same.provider->list_events(same.access, "primary", week, std::nullopt))) == told);
    Bench growing(
        "local n = 0 function M.list_changes() n = n + 1 return { events = {}, page = 'p' .. n } "
        "end");
    CHECK(
        outcome_of(growing.time.wait(growing.provider->busy(growing.access, {"primary"}, week))) ==
        "invalid_response: the provider gave pages without end");
}

TEST_CASE("provider: a member of another type or name is told with its function") {
    log::set_sink([](std::string_view) {});
    const std::string wrong = "invalid_response: the plugin acme returned something wrong: ";
    struct Case {
        std::string answer, complaint;
    };
    for (const auto& [answer, complaint] : std::vector<Case>{
             {"{ page = 2 }", "the provider gave a number as `page`; it must be a text"},
             {"{ cursor = {} }", "the provider gave a table as `cursor`; it must be a text"},
             {"{ events = 'x' }", "the provider gave a text as `events`; it must be a table"},
             {"{ time_zone = true }",
              "the provider gave true or false as `time_zone`; it must be a text"},
             {"{ items = {} }",
              "the provider gave `items`, which is not known here; known are events, page, "
              "cursor, time_zone"},
             {"{ curser = 'x' }",
              "the provider gave `curser`, which is not known here; did you mean cursor?"},
             {"{ { id = 'e' } }", "the provider gave a list; `{ events = list }` is expected"},
             {"7", "the provider gave no table of changes"},
             {"", "the provider gave nothing"}}) {
        CAPTURE(answer);
        for (const std::string name : {"list_changes", "list_events"}) {
            Bench bench("function M." + name + "() return " + answer + " end");
            const calendar::Window week{bench.time.now(), bench.time.now() + std::chrono::days{7}};
            const auto told = name == "list_changes"
                                  ? outcome_of(bench.changes())
                                  : outcome_of(bench.time.wait(bench.provider->list_events(
                                        bench.access, "c", week, std::nullopt)));
            CHECK(told == wrong + name + ": " + complaint);
        }
    }
    for (const auto& [answer, complaint] : std::vector<Case>{
             {"{ id = 'a', email = 7 }", "identity: the provider gave a number as `email`"},
             {"'a'", "identity: the provider gave no table of an account"}}) {
        Bench bench("function M.identity() return " + answer + " end");
        CHECK_MESSAGE(outcome_of(bench.identity()).starts_with(wrong + complaint), answer);
    }
    for (const auto& [answer, complaint] : std::vector<Case>{
             {"{ { id = 'a', primary = 1 } }", "the provider gave a number as `primary`; it must"},
             {"{ { id = 'a', read_only = 'no' } }", "the provider gave a text as `read_only`"},
             {"{ 'a' }", "the provider gave a calendar that is no table"}}) {
        Bench bench("function M.list_calendars() return " + answer + " end");
        const auto told = outcome_of(bench.time.wait(bench.provider->list_calendars(bench.access)));
        CHECK_MESSAGE(told.starts_with(wrong + "list_calendars: " + complaint), told);
    }
    log::set_sink({});
    // What the service's answer has besides, and its null, are no mistakes.
    Bench bench("function M.identity() return { id = 'a', email = json.null, plan = 7 } end");
    CHECK(outcome_of(bench.identity()) == "ok");
}

TEST_CASE("provider: a zone that nobody knows is UTC, and told once a call") {
    Bench bench(R"(local function hour(id, time)
          return event.new({ id = id, start = time, finish = time })
        end
        local function odd(id) return hour(id, { instant = "2026-11-21T10:00:00Z", tz = "Mars/Olympus" }) end
        function M.list_changes(ctx)
          ctx.changes:add(hour("a", event.instant("2026-11-21T10:00:00Z", "Etc/UTC")))
          ctx.changes:add(odd("b"))
          return { cursor = "c", time_zone = "Mars/Hellas", events = {
            hour("c", event.instant("2026-11-21T10:00:00Z", "Mars/Hellas")), odd("d") } }
        end
        function M.get_event() return hour("e", event.instant("2026-11-21T10:00:00Z", "Mars/Hellas")) end
        function M.create_event() return { event = odd("f") } end)");
    std::vector<std::string> lines;
    log::set_sink([&](std::string_view line) { lines.emplace_back(line); });
    const auto changes = bench.changes();
    const auto calls = lines.size();
    const auto event = bench.time.wait(bench.provider->get_event(bench.access, "c", "e"));
    const auto written =
        bench.time.wait(bench.provider->create_event(bench.access, "c", *event, "k"));
    log::set_sink({});
    REQUIRE(changes.has_value());
    CHECK(changes->events.size() == 4);
    CHECK(changes->events[1].start.zone == "Etc/UTC");
    CHECK(calls == 1);
    REQUIRE(lines.size() == 3);
    CHECK_MESSAGE(lines[0].contains("Mars/Olympus"), lines[0]);
    CHECK_MESSAGE(lines[0].contains("acme"), lines[0]);
    CHECK_MESSAGE(lines[1].contains("Mars/Hellas"), lines[1]);
    CHECK_MESSAGE(lines[2].contains("Mars/Olympus"), lines[2]);
    Bench known(R"(function M.list_changes(ctx)
          local time = event.instant("2026-11-21T10:00:00Z", "Europe/Berlin")
          return { cursor = "c", events = { event.new({ id = "a", start = time, finish = time }) } }
        end)");
    lines.clear();
    log::set_sink([&](std::string_view line) { lines.emplace_back(line); });
    CHECK(known.changes().has_value());
    log::set_sink({});
    CHECK(lines.empty());
}

TEST_CASE("provider: where a script broke is kept for its author, once") {
    Bench bench(R"(local broken = false
        function M.identity(ctx)
          if broken then while true do end end
          broken = true
          return ctx.nothing.at.all
        end)");
    log::set_sink([](std::string_view) {});
    CHECK(bench.provider->take_fault().empty());
    CHECK_FALSE(bench.identity().has_value());
    CHECK(bench.provider->take_fault() ==
          "providers/acme/provider.lua:8: attempt to index a nil value (field 'nothing')");
    CHECK(bench.provider->take_fault().empty());
    CHECK_FALSE(bench.identity().has_value());
    log::set_sink({});
    CHECK(bench.provider->take_fault() ==
          "providers/acme/provider.lua:6: it did more work than one call may");
}

TEST_CASE("provider: a function that is not there is unsupported") {
    Bench bench("");
    CHECK(outcome_of(bench.identity()) == "unsupported: Acme Calendar does not offer identity");
}

TEST_CASE("provider: one that loops is set aside after three times, and tried again") {
    Bench bench("function M.identity(ctx) while true do end end");
    for (int i = 0; i < 3; ++i)
        CHECK(to_string(bench.identity().error().code) == "invalid_response");
    const auto refused = bench.identity();
    CHECK(to_string(refused.error().code) == "unavailable");
    CHECK(refused.error().retry_after == 1min);
    bench.time.advance(61s);
    CHECK(to_string(bench.identity().error().code) == "invalid_response");
    CHECK(bench.identity().error().retry_after == 2min);
}

TEST_CASE("provider: a script that is none, or says too little, does not load") {
    struct Case {
        std::string code, complaint;
    };
    SeededRandom random{1};
    boost::asio::io_context context;
    VirtualTime time{context};
    ListTransport transport;
    for (const auto& row : std::vector<Case>{
             {"return {", "provider.lua:1"},
             {"return 7", "needs id and title"},
             {"", "needs id and title"},
             {"return { id = 'a', title = 'A' }", "api = 1"},
             {"return { id = 'a', title = 'A', api = 2, auth = {} }", "api = 1"},
             {"return { id = 'a', title = 'A', api = 1 }", "needs auth"},
             {"while true do end", "does not load: it did more work than one call may"},
             {"os.exit(1)", "provider.lua:1"},
             {"require('os')", "provider.lua:1"},
             {"\x1bLua", "does not load"}}) {
        CAPTURE(row.code);
        const auto loaded = plugin::Provider::load({"a", "providers/a/provider.lua", row.code},
                                                   {transport, time, time, random});
        REQUIRE_FALSE(loaded.has_value());
        CHECK(to_string(loaded.error().code) == "misconfigured");
        CHECK_MESSAGE(loaded.error().message.contains(row.complaint), loaded.error().message);
    }
}

TEST_CASE("http: the host adds the token, and the script never sees it") {
    Bench bench(R"(function M.identity(ctx)
          local seen = {}
          local function look(value, depth)
            if type(value) == "table" and depth < 9 then
              for k, v in pairs(value) do look(k, depth + 1) look(v, depth + 1) end
            else seen[#seen + 1] = tostring(value) end
          end
          local answer = ctx.http:get("/me", { headers = { ["X-Own"] = "1" } })
          look(answer, 0) look(ctx, 0)
          return { id = table.concat(seen, "|") }
        end)");
    bench.transport.answers = {net::ClientResponse{200, {{"ETag", "\"1\""}}, "{}"}};
    const auto identity = bench.identity();
    REQUIRE_MESSAGE(identity.has_value(), identity.error().message);
    const auto& request = bench.transport.requests.at(0);
    CHECK(request.headers.get("Authorization") == "Bearer s3cret-token");
    CHECK(request.headers.get("X-Own") == "1");
    CHECK(request.url == "https://api.acme.example/v1/me");
    CHECK(identity->id.contains("\"1\""));  // it did look
    CHECK_FALSE(identity->id.contains("s3cret"));
}

TEST_CASE("http: a script cannot put its own token in the place of the host's") {
    Bench bench(R"(function M.identity(ctx)
        ctx.http:get("/me", { headers = { authorization = "Bearer mine" } }) return { id = "1" } end)");
    REQUIRE(bench.identity().has_value());
    CHECK(bench.transport.requests.at(0).headers.get("Authorization") == "Bearer s3cret-token");
}

TEST_CASE("http: absolute links on granted hosts only") {
    struct Case {
        std::string url, code;
    };
    for (const auto& row :
         std::vector<Case>{{"https://api.acme.example/v1/next?page=2", "ok"},
                           {"https://id.acme.example/me", "ok"},
                           {"https://evil.example/", "forbidden"},
                           {"https://api.acme.example.evil.example/", "forbidden"},
                           {"https://api.acme.example:8443/", "forbidden"},
                           {"https://api.acme.example@evil.example/", "forbidden"},
                           {"https://user@api.acme.example/", "ok"},
                           {"http://127.0.0.1/", "forbidden"},
                           {"file:///etc/passwd", "invalid"},
                           {"ftp://api.acme.example/", "invalid"},
                           {"api.acme.example/v1", "invalid"},
                           {"https://acme.example/auth", "forbidden"},
                           {"", "invalid"},
                           {"\\\\evil.example\\x", "invalid"}}) {
        CAPTURE(row.url);
        Bench bench("function M.identity(ctx) local answer, err = ctx.http:get([[" + row.url +
                    "]]) return { id = err and err.code or 'ok' } end");
        CHECK(bench.identity()->id == row.code);
        CHECK(bench.transport.requests.empty() == (row.code != "ok"));
    }
}

TEST_CASE("http: a base address that a path could leave is not left") {
    for (const std::string path : {"/@evil.example/", "//evil.example/x", "/../../x"}) {
        Bench bench("function M.identity(ctx) ctx.http:get('" + path +
                    "') return { id = '1' } end");
        REQUIRE(bench.identity().has_value());
        for (const auto& request : bench.transport.requests)
            CHECK(request.url.starts_with("https://api.acme.example/v1/"));
    }
}

TEST_CASE("http: query, form and json become what they say") {
    Bench bench(R"(function M.identity(ctx)
        ctx.http:get("/a", { query = { b = true, a = "x y&z", n = 5 } })
        ctx.http:post("/b", { form = { z = "1", a = "ü" } })
        ctx.http:put("/c", { json = { list = json.array({}), on = true } })
        ctx.http:request({ method = "DELETE", url = "/d" })
        return { id = "1" } end)");
    REQUIRE_MESSAGE(bench.identity().has_value(), outcome_of(bench.identity()));
    const auto& requests = bench.transport.requests;
    CHECK(requests.at(0).url == "https://api.acme.example/v1/a?a=x%20y%26z&b=true&n=5");
    CHECK(requests.at(1).method == "POST");
    CHECK(requests.at(1).body == "a=%C3%BC&z=1");
    CHECK(requests.at(1).headers.get("Content-Type") == "application/x-www-form-urlencoded");
    CHECK(json::parse(requests.at(2).body)->at("on") == true);
    CHECK(requests.at(3).method == "DELETE");
}

TEST_CASE("http: an option that there is not, or of another type, is the author's mistake") {
    struct Case {
        std::string call, complaint;
    };
    for (const auto& [call, complaint] : std::vector<Case>{
             {"get('/x', { qery = {} })", "'get' (there is no option qery; did you mean query?)"},
             {"get('/x', { surprise = 1 })",
              "'get' (there is no option surprise; known are query, headers, json, form, body, "
              "timeout)"},
             {"get('/x', { method = 'PUT' })", "'get' (there is no option method; known are"},
             {"get('/x', 'a=b')", "'get' (a table of options is expected)"},
             {"get('/x', { query = 'a=b' })", "'get' (query must be a table of names and values)"},
             {"get('/x', { query = { a = {} } })", "'get' (query.a must be a text)"},
             {"get('/x', { headers = { Depth = 1 } })", "'get' (headers.Depth must be a text)"},
             {"post('/x', { form = 7 })", "'post' (form must be a table of names and values)"},
             {"get('/x', { timeout = 0 })", "'get' (timeout must be seconds, 60 at most)"},
             {"post('/x', { body = {} })", "'post' (body must be a text)"},
             {"request()", "'request' (a table of options is expected)"},
             {"request({ url = '/x' })", "'request' (method is missing)"},
             {"request({ method = 'GET', url = 7 })", "'request' (url must be a text)"}}) {
        CAPTURE(call);
        Bench bench("function M.identity(ctx)\nctx.http:" + call + "\nreturn { id = 'a' } end");
        log::set_sink([](std::string_view) {});
        CHECK(outcome_of(bench.identity()).starts_with("invalid_response"));
        log::set_sink({});
        const auto fault = bench.provider->take_fault();
        CHECK_MESSAGE(fault.starts_with("providers/acme/provider.lua:5: bad argument #"), fault);
        CHECK_MESSAGE(fault.contains(complaint), fault);
        CHECK(bench.transport.requests.empty());
    }
    Bench bench(
        "function M.identity(ctx) ctx.http:get('/x', { headers = { A = json.null } }) "
        "ctx.http:request({ method = 'GET', url = '/y', query = nil }) return { id = 'a' } end");
    CHECK(outcome_of(bench.identity()) == "ok");
    CHECK_FALSE(bench.transport.requests.at(0).headers.has("A"));
}

TEST_CASE("http: ctx.http ends with its call") {
    Bench bench(R"(local kept
        function M.identity(ctx)
          local first = kept == nil
          kept = kept or ctx.http
          if first then return { id = "first" } end
          local answer, err = kept:get("/late")
          return { id = err and err.code or "it worked" } end)");
    CHECK(bench.identity()->id == "first");
    CHECK(bench.identity()->id == "cancelled");
    CHECK(bench.transport.requests.empty());
}

TEST_CASE("http: what is not idempotent is not repeated after a fault, what was refused is") {
    struct Case {
        std::string method;
        int status;
        std::size_t requests;
    };
    for (const auto& row : std::vector<Case>{{"get", 500, 5},
                                             {"put", 500, 5},
                                             {"delete", 500, 5},
                                             {"post", 500, 1},
                                             {"patch", 500, 1},
                                             {"post", 429, 5},
                                             {"get", 404, 1},
                                             {"get", 401, 2},
                                             {"post", 401, 2}}) {
        CAPTURE(row.method + std::to_string(row.status));
        Bench bench("function M.identity(ctx) local a = ctx.http:" + row.method +
                    "('/x') return { id = tostring(a.status) } end");
        bench.transport.answers = {net::ClientResponse{row.status, {}, ""}};
        CHECK(bench.identity()->id == std::to_string(row.status));
        CHECK(bench.transport.requests.size() == row.requests);
    }
}

TEST_CASE("http: a provider that asks for a long wait is not called before it") {
    Bench bench(R"(function M.identity(ctx) local a, err = ctx.http:get('/x')
        if not a then return nil, err end
        return nil, { code = "rate_limited", retry_after = a.retry_after } end)");
    bench.transport.answers = {net::ClientResponse{429, {{"Retry-After", "31"}}, ""}};
    CHECK(bench.identity().error().retry_after == 31s);
    CHECK(bench.transport.requests.size() == 1);
    CHECK(bench.access.blocked == bench.time.now() + 31s);
    bench.time.advance(30s);
    CHECK(bench.identity().error().retry_after == 1s);
    CHECK(bench.transport.requests.size() == 1);
}

}  // namespace
