// The worked example of plugins/README.md, as it stands there; and the plugins of the repository.
#include <sstream>

#include "base/log.h"
#include "plugin/plugin_bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

const std::filesystem::path kPlugins = std::filesystem::path(CALHOST_SOURCE_DIR) / "plugins";

/// The block of the guide that begins with "-- <name>".
std::string block(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(kPlugins / "README.md").rdbuf();
    const auto guide = text.str();
    const auto from = guide.find("```lua\n-- " + name + "\n");
    REQUIRE(from != std::string::npos);
    return guide.substr(from + 7, guide.find("\n```", from) - from - 6);
}

struct Guide : PluginBench {
    Guide() {
        const auto home = folder.path() / "chat-alert";
        std::filesystem::create_directories(home);
        std::ofstream(home / "plugin.lua") << block("plugins/chat-alert/plugin.lua");
        std::ofstream(home / "schema.lua") << block("plugins/chat-alert/schema.lua");
        name_section("chat-alert", {.values = {{"url", "https://chat.example/hooks/42"},
                                               {"grant", json::array{"users"}}}});
        REQUIRE(complaints() == "");
        REQUIRE(load() == "ok");
    }
    std::string fail_connection(const std::string& user = "u1") {
        const auto jobs =
            plugins->hook_jobs("connection.failed", user, user,
                               {{"connection", {{"id", "c1"}, {"provider", "google"}}}});
        return outcome_of(time.wait(plugins->run_hook(jobs.at(0))));
    }
};

TEST_CASE("guide: the example tells the chat once a day") {
    Guide guide;
    CHECK(guide.fail_connection() == "ok");
    CHECK(guide.fail_connection() == "ok");
    REQUIRE(guide.transport.requests.size() == 1);
    CHECK(guide.transport.requests[0].url == "https://chat.example/hooks/42");
    CHECK(guide.transport.requests[0].body == R"({"text":": google needs attention"})");
    CHECK(guide.fail_connection("u2") == "ok");
    guide.time.advance(std::chrono::hours{25});
    CHECK(guide.fail_connection() == "ok");
    CHECK(guide.transport.requests.size() == 2);
}

TEST_CASE("guide: the example is told again while the chat is down, and not when it refuses") {
    Guide guide;
    guide.transport.answers = {net::ClientResponse{503, {{"Retry-After", "9"}}, ""},
                               net::ClientResponse{404, {}, ""}, fail(ErrorCode::timeout, "slow"),
                               net::ClientResponse{200, {}, ""}};
    CHECK(guide.fail_connection() == "unavailable: The chat answered 503");
    CHECK(guide.fail_connection() == "invalid: The chat answered 404");
    CHECK(guide.fail_connection() == "timeout: slow");
    CHECK(guide.fail_connection() == "ok");
}

/// What an operator has to write for the plugins of the repository.
const std::map<std::string, json::object> kSections{
    {"token-sync", {{"grant", json::array{"tokens"}}}},
    {"token-receiver", {{"grant", json::array{"connections", "users", "routes"}}}},
    {"failure-mail",
     {{"grant", json::array{"mail", "users", "connections"}},
      {"link", "https://app.example/calendars"}}}};

TEST_CASE("guide: the plugins of the repository are what the guide asks for") {
    PluginBench bench;
    bench.settings.paths.plugins = kPlugins;
    bench.settings.mail.url = "smtp://127.0.0.1:25";
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kPlugins)) {
        if (!entry.is_directory()) continue;
        const auto name = entry.path().filename().string();
        CAPTURE(name);
        CHECK(std::filesystem::exists(entry.path() / "README.md"));
        const auto section = kSections.find(name);
        bench.name_section(
            name, {.values = section == kSections.end() ? json::object() : section->second});
        ++count;
    }
    CHECK(count >= 2);
    CHECK(bench.complaints() == "");
    CHECK(bench.load() == "ok");
}

}  // namespace
