// What `calhost check` finds in a provider's table, with line, key and what to do.
#include "plugin/provider_check.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "plugin/bench.h"
#include "plugin/discovery.h"

using namespace calhost;
using namespace calhost::plugin;
using namespace calhost::test;

namespace {

/// A table without mistakes: the first line of each test's script is line 8.
constexpr std::string_view kGood = R"(-- id = "not this one"
local M = { id = "acme", title = "Acme", api = 1, base_url = "https://api.acme.example" }
M.can = { incremental = true, in_flight = 8, reminder_methods = { "popup" }, recurrence_limits = {} }
M.auth = { authorize = "https://acme.example/{tenant}/auth", token = "https://acme.example/token",
  scopes = { full = { "rw" }, availability = {} }, parameters = { prompt = "consent" } }
function M.list_calendars(ctx) return {} end
local function helper() return 1 end
)";

std::vector<std::string> complaints_of(const std::string& name, const std::string& code) {
    boost::asio::io_context context;
    VirtualTime time{context};
    std::vector<std::string> texts;
    for (const auto& complaint :
         check_provider({name, "providers/" + name + "/provider.lua", code}, time))
        texts.push_back((complaint.is_error ? "" : "warning: ") + complaint.to_string());
    return texts;
}

TEST_CASE("provider check: a table without mistakes has no complaints, the host's own included") {
    CHECK(complaints_of("acme", std::string(kGood) + "return M") == std::vector<std::string>{});
    const auto root = std::filesystem::path(CALHOST_SOURCE_DIR) / "providers";
    int seen = 0;
    for (const auto& folder : std::filesystem::directory_iterator(root)) {
        if (!folder.is_directory()) continue;
        std::ostringstream code;
        code << std::ifstream(folder.path() / "provider.lua").rdbuf();
        CHECK(complaints_of(folder.path().filename(), code.str()) == std::vector<std::string>{});
        ++seen;
    }
    CHECK(seen >= 3);
}

TEST_CASE("provider check: each mistake is told once, with its line, its key and what to do") {
    struct Case {
        std::string code;
        std::string complaint;  ///< how it begins, after the file
    };
    for (const auto& [code, complaint] : std::vector<Case>{
             {"M.id = 'acne'", ":2: id: is \"acne\", but the folder is acme; name both alike"},
             {"M.id = nil", "id: is missing"},
             {"M.title = 7", ":2: title: must be a text"},
             {"M.api = 2", ":2: api: must be 1"},
             {"M.base_url = nil", "base_url: is missing; a sign-in of kind oauth2 needs it"},
             {"M.base_url = 'api.acme.example'", ":2: base_url: must be an address"},
             {"M.base_ulr = 'https://acme.example'",
              ":8: base_ulr: is not known here; did you "
              "mean base_url?"},
             {"M.entirely_other = {}", ":8: entirely_other: is not known here; known are id, "},
             {"M.can.incremntal = true",
              ":8: can.incremntal: is not known here; did you mean "
              "incremental?"},
             {"M.can.teleport = true",
              ":8: can.teleport: is not known here; known are incremental"},
             {"M.can.push = 'yes'", ":8: can.push: must be true or false"},
             {"M.can.in_flight = -1", ":3: can.in_flight: must be a whole number"},
             {"M.can.in_flight = 1.5", ":3: can.in_flight: must be a whole number"},
             {"M.can.reminder_methods = { 1 }", ":3: can.reminder_methods: must be a list of"},
             {"M.can = true", ":3: can: must be a table"},
             {"M.auth.authorize = nil", "auth.authorize: is missing; a sign-in of kind oauth2"},
             {"M.auth.token = nil", "auth.token: is missing; a sign-in of kind oauth2 needs it"},
             {"M.auth.scopes = nil", "auth.scopes: is missing; a sign-in of kind oauth2 needs it"},
             {"M.auth.scopes.full = nil", ":5: auth.scopes: needs a list `full`"},
             {"M.auth.scopes.full = 'rw'", ":5: auth.scopes: must give each name a list of texts"},
             {"M.auth.kind = 'oath2'", ":8: auth.kind: must be one of oauth2, basic, form"},
             {"M.auth.kind = 'none'", ":8: auth.kind: must be one of oauth2, basic, form"},
             {"M.auth.tokn = 'https://a.example'",
              ":8: auth.tokn: is not known here; did you mean "
              "token?"},
             {"M.auth.parameters.prompt = 1", ":5: auth.parameters: must give each name a text"},
             {"M.auth.revoke = function() end", ":4: auth: cannot be read as data: a function"},
             {"M.auth = nil", "auth: is missing"},
             {"M.throttled = { [403] = { 'slow' } }", ":8: throttled: cannot be read as data: "},
             {"function M.list_chnages(ctx) end",
              ":8: list_chnages: is no function of a provider; "
              "did you mean list_changes?"},
             {"M.busi = helper", ":8: busi: is no function of a provider; did you mean busy?"}}) {
        CAPTURE(code);
        const auto found = complaints_of("acme", std::string(kGood) + code + "\nreturn M");
        REQUIRE(found.size() == 1);
        const bool has_line = complaint.starts_with(':');
        CHECK_MESSAGE(
            found[0].contains("providers/acme/provider.lua" + (has_line ? complaint : "")),
            found[0]);
        CHECK_MESSAGE(found[0].contains(complaint), found[0]);
    }
}

TEST_CASE("provider check: a function of no name that the host calls is a doubt, not a mistake") {
    CHECK(complaints_of("acme", std::string(kGood) + "M.own_helper = helper\nreturn M") ==
          std::vector<std::string>{"warning: providers/acme/provider.lua:8: own_helper: is no "
                                   "function that the host calls; make it local"});
    // The host revokes by itself, at auth.revoke.
    CHECK(complaints_of("acme", std::string(kGood) + "function M.revoke(ctx) end\nreturn M") ==
          std::vector<std::string>{"warning: providers/acme/provider.lua:8: revoke: is no "
                                   "function that the host calls; make it local"});
}

TEST_CASE(
    "provider check: other kinds of sign-in need no addresses, and all mistakes come at once") {
    CHECK(complaints_of("dav", R"(return { id = "dav", title = "DAV", api = 1,
        auth = { kind = "basic" } })") == std::vector<std::string>{});
    CHECK(complaints_of("acme", "return {}").size() == 4);
    CHECK(complaints_of("acme", "return { auth = {} }").size() == 7);
    CHECK(complaints_of("acme", "return 7").empty());  // the loader says why
    CHECK(complaints_of("acme", "return {").empty());
}

TEST_CASE("provider check: a line is the part's own, or that of the table which lacks it") {
    const auto found = complaints_of("acme", R"(local token, scopes = 1, 2
token = 2
return { id = "acme", title = "A", api = 1, base_url = "https://a.example",
  auth = { authorize = "https://a.example",
    token = 7 } })");
    REQUIRE(found.size() == 2);
    CHECK(found[0].starts_with("providers/acme/provider.lua:4: auth.scopes: is missing; "));
    CHECK(found[1].starts_with("providers/acme/provider.lua:5: auth.token: must be an address"));
}

TEST_CASE("provider check: an id that is not the folder's name keeps the host from starting") {
    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{1};
    ListTransport transport;
    Installed installed;
    installed.providers.push_back(
        {.source = {"acme", "providers/acme/provider.lua",
                    "return { id = 'acne', title = 'A', api = 1, auth = {} }"}});
    const auto loaded = Providers::load(installed, {transport, time, time, random});
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().message ==
          "providers/acme/provider.lua: id is \"acne\", but the folder is acme; name both alike.");
}

}  // namespace
