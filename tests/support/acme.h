/// A calendar service at addresses that people enter, in process, with a provider of its own beside
/// those of the repository: passwords, calendars, faults. The address policy is the real one.
#pragma once

#include <fstream>
#include <set>

#include "net/client_policy.h"
#include "support/scene.h"

namespace calhost::test {

inline constexpr std::string_view kAcmeProvider = R"lua(
local json, event = require("host.json"), require("host.event")
local M = { id = "acme", title = "Acme", api = 1 }
M.can = { incremental = true, push = false }
M.auth = { kind = "basic", presets = { { title = "Acme Cloud", url = "https://cloud.acme.example/",
  origins = { "https://*.acme.example" }, help = "https://acme.example/passwords" } } }
local CODES = { [401] = "unauthorized", [403] = "forbidden", [404] = "not_found", [429] = "rate_limited" }
local function get(ctx, url, query)
  local answer, err = ctx.http:get(url, { query = query })
  if not answer then return nil, err end
  if answer.headers.location then return get(ctx, answer.headers.location) end
  if answer.status ~= 200 then
    return nil, { code = CODES[answer.status] or "unavailable", message = "Acme answered " .. answer.status,
      retry_after = answer.retry_after }
  end
  local body = json.decode(answer.body)
  if not body then return nil, { code = "invalid_response", message = "Acme sent no JSON" } end
  return body
end
function M.discover(ctx)
  local found, err = get(ctx, "/.well-known/acme", { user = ctx.account.username })
  if not found then return nil, err end
  return { home = found.home }
end
function M.identity(ctx) return { id = "/users/" .. ctx.account.username, email = ctx.account.username } end
function M.list_calendars(ctx) return get(ctx, ctx.account.home .. "/calendars") end
function M.list_changes(ctx, calendar, cursor, page, window)
  local found, err = get(ctx, ctx.account.home .. "/events", { calendar = calendar.id })
  if not found then return nil, err end
  local events = {}
  for i, raw in ipairs(found) do
    events[i] = raw.whole and raw or event.new({ id = raw.id, title = raw.id, busy = raw.busy,
      status = raw.status, start = event.instant(raw.start), finish = event.instant(raw.finish),
      series_id = raw.series_id, recurrence_id = raw.slot and event.instant(raw.slot) })
  end
  return { events = events, cursor = "1" }
end
return M
)lua";

/// *Ownership*: outlives the host whose transport it answers.
class Acme {
  public:
    /// Makes the host use it; `networks` is network.allow_private.
    explicit Acme(std::vector<std::string> networks = {})
        : allowed_(net::Networks::parse(networks).value()) {
        namespace fs = std::filesystem;
        const fs::path own(CALHOST_SOURCE_DIR "/providers");
        for (const auto& entry : fs::directory_iterator(own))
            if (entry.is_directory())
                fs::create_directory_symlink(entry.path(),
                                             folder_.path() / entry.path().filename());
        fs::create_directory(folder_.path() / "acme");
        std::ofstream(folder_.path() / "acme/provider.lua") << kAcmeProvider;
        std::ofstream(folder_.path() / "acme/schema.lua") << "return { fields = {} }";
    }

    [[nodiscard]] TestHostOptions options(bool runs_jobs = false) {
        return {
            .adjust =
                [this](config::Settings& settings) { settings.paths.providers = folder_.path(); },
            .runs_jobs = runs_jobs};
    }
    void serve(TestHost& host) {
        time_ = &host.time;
        host.transport.before = [this](net::ClientRequest& request) { return answer(request); };
    }

    std::string password = "s3cret-acme";
    std::string home = "/home/ann";  ///< may be a whole address
    json::array calendars{
        {{"id", "work"}, {"name", "Work"}, {"primary", true}, {"time_zone", "Europe/Berlin"}},
        {{"id", "team"}, {"name", "Team"}},
        {{"id", "holidays"}, {"name", "Holidays"}, {"read_only", true}}};
    std::map<std::string, json::array> events;  ///< by calendar
    std::map<std::string, std::string> names{{"intern.example", "10.0.0.7"},
                                             {"two.example", "93.184.216.34 192.168.1.1"}};
    std::set<std::string> hanging;               ///< hosts that never answer
    std::set<std::string> missing;               ///< hosts without a server
    std::optional<net::ClientResponse> instead;  ///< of every answer but the first look's
    std::vector<net::ClientRequest> requests;

    [[nodiscard]] std::size_t requests_to(std::string_view text) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            requests, [&](const auto& request) { return request.url.contains(text); }));
    }

  private:
    using Answer = std::optional<SandboxTransport::Answer>;

    Task<Answer> answer(net::ClientRequest& request) {
        if (!request.is_user_address) co_return std::nullopt;  // to a simulated provider
        requests.push_back(request);
        const auto url = net::Url::parse(request.url);
        if (!url) co_return fail(url.error());
        if (auto checked = check(*url); !checked) co_return fail(checked.error());
        if (missing.contains(url->host))
            co_return fail(ErrorCode::unavailable,
                           "No connection to " + url->host + ": Connection refused.");
        if (hanging.contains(url->host)) co_await time_->sleep(std::chrono::hours{24});
        if (request.method == "OPTIONS") co_return net::ClientResponse{200, {}, ""};
        if (instead) co_return *instead;
        if (request.headers.get("Authorization") != "Basic " + base64_encode("ann:" + password))
            co_return net::ClientResponse{401, {}, "who?"};
        co_return net::ClientResponse{200, {}, body_of(url->target)};
    }

    [[nodiscard]] Result<void> check(const net::Url& url) const {
        if (auto host = net::check_host(url, true); !host) return host;
        const auto name = names.find(url.host);
        const auto text = name != names.end()            ? name->second
                          : net::parse_address(url.host) ? url.host
                                                         : "93.184.216.34";
        const auto checked = net::check_addresses(url, plugin::split_words(text), true, allowed_);
        if (!checked) return fail(checked.error());
        return {};
    }

    [[nodiscard]] std::string body_of(const std::string& target) const {
        if (target.starts_with("/.well-known/acme"))
            return json::serialize(json::object{{"home", home}});
        if (target.ends_with("/calendars")) return json::serialize(calendars);
        const auto found = events.find(target.substr(target.rfind('=') + 1));
        return found == events.end() ? "[]" : json::serialize(found->second);
    }

    net::Networks allowed_;
    TempFolder folder_;
    Timers* time_ = nullptr;
};

/// What a person sends to connect an account of it.
inline json::object acme_form(json::object changes = {}) {
    json::object form{
        {"url", "https://dav.example/"}, {"username", "ann"}, {"password", "s3cret-acme"}};
    for (auto& member : changes) form[member.key()] = member.value();
    return form;
}
inline net::Response connect_acme(TestHost& host, const net::Headers& who,
                                  json::object changes = {}) {
    return host.call("POST", "/api/calendar/connect/acme", who,
                     json::serialize(acme_form(std::move(changes))));
}

}  // namespace calhost::test
