// Nothing secret leaves the house: canaries are planted everywhere, every fault is provoked, and
// all that was written is searched.
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// A secret that must not be found, raw or in disguise.
struct Canary {
    std::string name, secret;
};

/// The spellings under which a secret might slip through.
std::vector<std::string> disguises(const std::string& secret) {
    auto base64 = base64_encode(secret), base64url = base64url_encode(secret);
    // Inside a longer text the last characters depend on what follows.
    base64.resize(secret.size() / 3 * 4);
    base64url.resize(secret.size() / 3 * 4);
    auto upper = hex_encode(secret);
    std::ranges::transform(upper, upper.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
    std::string escaped;
    for (const char c : secret) (escaped += c == '/' ? "\\" : "") += c;
    return {secret,
            base64,
            base64url,
            hex_encode(secret),
            upper,
            percent_encode(secret),
            percent_encode(percent_encode(secret)),
            escaped,
            std::string(secret.rbegin(), secret.rend())};
}

std::string bytes_of(const std::filesystem::path& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        all += entry.path().filename().string() + "\n" + text.str() + "\n";
    }
    return all;
}

/// Watches the wire for what the provider hands out, and a host that is told to write all it can.
struct Watched {
    Watched()
        : host({.adjust = [](config::Settings& settings) {
              settings.auth.jwt_secret = Secret(kJwtSecret);
              settings.log_level = "debug";
          }}) {
        canaries = {{"client secret", "sandbox-secret"},
                    {"jwt secret", kJwtSecret},
                    {"password", "a long enough password"},
                    {"sealing key", std::string(32, 'k')}};
        host.transport.after = [this](const net::ClientRequest& request,
                                      SandboxTransport::Answer& answer) -> Task<void> {
            note_request(request);
            if (answer) note_answer(request, *answer);
            co_return;
        };
        who = sign_in_again(true);
    }

    net::Headers sign_in_again(bool is_new = false) {
        auto headers = is_new ? host.sign_up() : host.sign_in();
        tokens.insert(std::string(headers.get("Authorization")).substr(7));
        return headers;
    }

    void note_request(const net::ClientRequest& request) {
        const auto form = net::Query::parse(request.body);
        if (!request.url.ends_with("/token") || !form) return;
        for (const std::string name : {"code", "code_verifier", "refresh_token"})
            if (form->has(name)) canaries.push_back({name, std::string(form->get(name))});
    }
    void note_answer(const net::ClientRequest& request, const net::ClientResponse& answer) {
        const auto body = json::parse(answer.body);
        if (!request.url.ends_with("/token") || !body) return;
        for (const std::string name : {"access_token", "refresh_token"})
            if (const auto token = json::text_of(*body, name); !token.empty())
                canaries.push_back({name, std::string(token)});
    }

    /// What was found of the canaries in `text`, by name.
    std::string found_in(const std::string& text) const {
        std::string found;
        for (const auto& canary : canaries)
            for (const auto& disguise : disguises(canary.secret))
                if (text.contains(disguise)) found += canary.name + " as " + disguise + "\n";
        return found;
    }

    static inline const std::string kJwtSecret = "jwt-canary-0123456789abcdef0123456789abcdef";
    LogSink log;
    std::vector<Canary> canaries;
    std::set<std::string> tokens;  ///< bearer tokens: only the answer of /auth/token holds one
    TestHost host;
    net::Headers who;
};

/// Everything that goes well, and everything that can go wrong.
void provoke(Watched& watched) {
    auto& host = watched.host;
    auto& who = watched.who;
    const auto everything = [&] {
        for (const std::string path :
             {"/auth/me", "/api/calendar/status", "/api/calendar/connections",
              "/api/calendar/calendars", "/api/calendar/auth", "/api/calendar/test/database",
              "/api/calendar/test/credentials/ada@example.org",
              "/api/calendar/test/calendar-health", "/api/calendar/test/sync-monitoring",
              "/api/providers", "/openapi.json", "/healthz"})
            host.call("GET", path, who);
        sync_now(host, who);
    };
    add_event(host, timed("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"));
    everything();
    // Coming back in every wrong way.
    Cookies browser;
    auto target = host.consent(host.authorization_url(who, browser));
    watched.canaries.push_back({"state", query_of(target, "state")});
    watched.canaries.push_back({"code", query_of(target, "code")});
    for (const auto& cookie : browser) watched.canaries.push_back({"cookie", cookie.second});
    const auto wrong = with_query(target, "state", "forged-state-of-a-stranger");
    for (const std::string accept : {"application/json", "text/html"}) {
        host.come_back(wrong, browser, accept);
        host.come_back(with_query(target, "iss", "https://evil.example"), browser, accept);
        host.come_back("/oauth/callback" + target.substr(target.find('?')), browser, accept);
        break_next(host, {{"kind", "status"}, {"status", 500}, {"path", "/token"}});
        host.come_back(target, browser, accept);
        break_next(host, {{"kind", "html"}, {"path", "/token"}});
        host.come_back(target, browser, accept);
    }
    host.come_back(target, browser);
    host.come_back(target, browser);
    host.come_back(with_query(target, "code", "4/code-canary-of-a-stranger"), browser);
    const auto page = host.come_back(host.consent(host.authorization_url(who, browser)), {});
    host.time.advance(15min);  // nobody answers
    who = watched.sign_in_again();
    host.connect(who);
    everything();
    // The provider at its worst.
    for (const std::string path : {"/calendar/*", "/token"})
        for (const json::object& order :
             {json::object{{"kind", "status"}, {"status", 401}, {"count", 6}},
              json::object{{"kind", "status"}, {"status", 403}, {"reason", "forbidden"}},
              json::object{{"kind", "status"}, {"status", 429}, {"retry_after", "2"}},
              json::object{{"kind", "status"}, {"status", 500}, {"count", 6}},
              json::object{{"kind", "html"}}, json::object{{"kind", "truncate"}, {"count", 6}},
              json::object{{"kind", "reset"}, {"count", 6}}}) {
            auto fault = order;
            fault["path"] = path;
            break_next(host, fault);
            control(host, "POST", "/expire-tokens");
            everything();
            control(host, "DELETE", "/faults");
        }
    host.time.advance(2h);
    who = watched.sign_in_again();
    everything();
    control(host, "POST", "/accounts/" + kAda + "/revoke");
    everything();
    host.connect(who);
    change_store(host, "UPDATE connections SET sealed_access_token = 'v1:k1:00:00:00'");
    host.crash_and_restart();
    everything();
    // Callers at their worst.
    const net::Headers json_type{{"Content-Type", "application/json"}};
    const std::string password = "a long enough password";
    for (const auto& body : {"{\"email\":\"ada@example.org\",\"password\":\"" + password + "\"}",
                             "{\"email\":7,\"password\":\"" + password + "\"}",
                             "{\"password\":\"" + password + "\"", "\"" + password + "\""})
        host.call("POST", "/auth/register", json_type, body);
    host.call("POST", "/auth/token", json_type,
              "{\"email\":\"x@example.org\",\"password\":\"" + password + "\"}");
    for (const auto& token : watched.tokens) {
        host.call("GET", "/auth/me", {{"Authorization", "Bearer " + token + "x"}});
        host.call("GET", "/nowhere?access_token=" + token);
    }
    host.connect(who);
    host.call("DELETE", "/api/calendar/disconnect", who);
    host.time.advance(1min);
}

TEST_CASE("canary: no secret is in the log, in an answer, or in the store") {
    Watched watched;
    provoke(watched);
    CHECK(watched.canaries.size() > 20);  // the wire was watched
    CHECK(watched.log.text.contains("calendar connected"));
    CHECK(watched.log.text.contains("token refresh failed"));

    CHECK(watched.found_in(watched.log.text) == "");
    CHECK(watched.found_in(bytes_of(watched.host.folder.path())) == "");
    for (const auto& token : watched.tokens) {
        CHECK_FALSE(watched.log.text.contains(token));
        CHECK_FALSE(bytes_of(watched.host.folder.path()).contains(token));
    }
    // The authorization URL holds its state, Set-Cookie its cookie: those are meant to be answered.
    std::erase_if(watched.canaries, [](const Canary& canary) {
        return canary.name == "state" || canary.name == "cookie";
    });
    CHECK(watched.found_in(watched.host.written) == "");
}

TEST_CASE("canary: the search would find one") {
    Watched watched;
    watched.canaries = {{"token", "ya29.canary/+=of a token"}};
    for (const auto& disguise : disguises("ya29.canary/+=of a token"))
        CHECK_FALSE(watched.found_in("x" + disguise + "y").empty());
    CHECK(watched.found_in("nothing here").empty());
    CHECK_FALSE(bytes_of(watched.host.folder.path()).empty());
    // E-mail addresses are stored in the clear: that is how we know that the file is read.
    CHECK(bytes_of(watched.host.folder.path()).contains("ada@example.org"));
}

}  // namespace
