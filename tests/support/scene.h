/// What the tests on a whole host do over and over, in words.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "storage/connections.h"
#include "support/test_host.h"

namespace calhost::test {

inline const std::string kCallback = "/api/calendar/callback/google";
inline const std::string kAda = "ada@gmail.example";
inline const std::string kBob = "bob@gmail.example";

/// "400 state_used: This sign-in was …" of a problem; the status alone of any other answer.
inline std::string problem_of(const net::Response& response) {
    if (response.headers.get("Content-Type") != "application/problem+json")
        return std::to_string(response.status);
    return fmt::format("{} {}: {}", response.status, TestHost::text(response, "code"),
                       TestHost::text(response, "detail"));
}
/// The same without the sentence: "400 state_used".
inline std::string word_of(const net::Response& response) {
    const auto problem = problem_of(response);
    return problem.substr(0, problem.find(':'));
}

/// The control API of the simulated Google.
inline json::value control(TestHost& host, std::string method, std::string target,
                           const json::value& body = nullptr) {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (body.is_string())
        request.body = body.get_string();
    else if (!body.is_null())
        request.body = json::serialize(body);
    const auto answer = host.time.wait(host.google.control(request));
    if (answer.status >= 300) throw std::runtime_error(answer.body);
    return answer.body.empty() ? json::value() : TestHost::body(answer);
}
/// Orders a fault; `count` is 1 unless named.
inline void break_next(TestHost& host, const json::object& fault) {
    control(host, "POST", "/faults", fault);
}
/// The person adds an event in Google's own pages; gives its id.
inline std::string add_event(TestHost& host, const json::object& event,
                             const std::string& account = kAda) {
    return std::string(
        json::text_of(control(host, "POST", "/accounts/" + account + "/events", event), "id"));
}
inline json::object timed(std::string_view start, std::string_view finish,
                          std::string_view title = "Tea") {
    return {{"summary", title}, {"start", {{"dateTime", start}}}, {"end", {{"dateTime", finish}}}};
}

/// How many requests with that path have reached the simulated Google.
inline int requests_to(TestHost& host, std::string_view path) {
    const auto ledger = control(host, "GET", "/ledger");
    int count = 0;
    for (const auto& request : ledger.at("requests").as_array())
        count += json::text_of(request, "path") == path ? 1 : 0;
    return count;
}
inline constexpr std::string_view kEventsPath = "/calendar/v3/calendars/primary/events";
/// How often something happened there ("token.refresh").
inline int effects_of(TestHost& host, std::string_view method) {
    const auto ledger = control(host, "GET", "/ledger");
    int count = 0;
    for (const auto& effect : ledger.at("effects").as_array())
        count += json::text_of(effect, "method") == method ? 1 : 0;
    return count;
}

/// The target with one member of its query set, or taken out.
inline std::string with_query(const std::string& target, std::string_view name,
                              std::optional<std::string> value) {
    const auto question = target.find('?');
    net::Query changed;
    if (question != std::string::npos)
        for (const auto& [key, old] : net::Query::parse(target.substr(question + 1)).value())
            if (key != name) changed.add(key, old);
    if (value) changed.add(std::string(name), std::move(*value));
    const auto text = changed.to_string();
    return target.substr(0, question) + (text.empty() ? "" : "?" + text);
}
inline std::string query_of(const std::string& url, std::string_view name) {
    return std::string(net::Query::parse(url.substr(url.find('?') + 1)).value().get(name));
}

/// Runs one statement on the store, as a bad disk or an operator might.
inline void change_store(TestHost& host, std::string sql) {
    auto done = host.time.wait(
        host.worker().database().write([statement = std::move(sql)](storage::Sql& open) {
            auto changed = open.execute(statement);
            return changed ? Result<void>{} : Result<void>(fail(changed.error()));
        }));
    must(std::move(done));
}
/// One number from the store.
inline std::int64_t count_in_store(TestHost& host, const std::string& sql) {
    std::int64_t count = -1;
    must(host.sql().query(sql, {}, [&](const storage::Row& row) { count = row.integer(0); }));
    return count;
}
inline std::string text_in_store(TestHost& host, const std::string& sql) {
    std::string text;
    must(host.sql().query(sql, {}, [&](const storage::Row& row) { text = row.string(0); }));
    return text;
}

/// Several calls that run side by side, in the order of the list.
inline std::vector<net::Response> at_once(TestHost& host, std::vector<Task<net::Response>> calls) {
    std::vector<std::optional<net::Response>> answers(calls.size());
    for (std::size_t i = 0; i < calls.size(); ++i)
        boost::asio::co_spawn(host.time.executor(), std::move(calls[i]),
                              [&answers, i](const std::exception_ptr& thrown, net::Response done) {
                                  if (!thrown) answers[i] = std::move(done);
                              });
    const auto is_done = [](const auto& answer) { return answer.has_value(); };
    for (int seconds = 0; seconds < 600 && !std::ranges::all_of(answers, is_done); ++seconds)
        host.time.advance(std::chrono::seconds{1});
    std::vector<net::Response> done;
    for (auto& answer : answers) done.push_back(std::move(answer.value()));
    return done;
}
/// A call that nobody waits for, because the host dies in the middle.
inline void begin_and_crash(TestHost& host, Task<net::Response> call, std::string_view point) {
    host.crash_points.should_crash = [point](std::string_view name) { return name == point; };
    boost::asio::co_spawn(host.time.executor(), std::move(call), boost::asio::detached);
    for (int seconds = 0; seconds < 60 && !host.crash_points.is_crashed; ++seconds)
        host.time.advance(std::chrono::seconds{1});
    if (!host.crash_points.is_crashed) throw std::runtime_error("the crash point was not reached");
    host.crash_points.should_crash = nullptr;
    host.crash_and_restart();
}

/// The only connection, or the one of an account label, as status shows it.
inline json::value connection_of(TestHost& host, const net::Headers& who, std::size_t index = 0) {
    const auto body = TestHost::body(host.call("GET", "/api/calendar/connections", who));
    return body.at("connections").as_array().at(index);
}
inline std::string state_of(TestHost& host, const net::Headers& who, std::size_t index = 0) {
    return std::string(json::text_of(connection_of(host, who, index), "state"));
}
inline net::Response sync_now(TestHost& host, const net::Headers& who) {
    return host.call("POST", "/api/calendar/sync", who);
}

/// Consent on the page itself, with only the scopes that end in one of `endings` ticked.
inline std::string consent_with(TestHost& host, const std::string& authorization_url,
                                const std::vector<std::string>& endings,
                                const std::string& account = kAda) {
    net::ClientRequest request;
    request.url = authorization_url;
    const auto page = host.time.wait(host.transport.send(request)).value().body;
    const std::string mark = "name=\"ticket\" value=\"";
    const auto at = page.find(mark) + mark.size();
    net::Query form;
    form.add("ticket", page.substr(at, page.find('"', at) - at));
    form.add("account", account);
    form.add("decision", "allow");
    const std::string asked = query_of(authorization_url, "scope");
    for (const auto& scope : plugin::split_words(asked))
        if (std::ranges::any_of(endings, [&](const auto& end) { return scope.ends_with(end); }))
            form.add("scope", scope);
    request = {};
    request.method = "POST";
    request.url = std::string(kSandboxOrigin) + "/o/oauth2/v2/auth/decision";
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = form.to_string();
    const auto done = host.time.wait(host.transport.send(request)).value();
    if (done.status != 302) throw std::runtime_error(done.body);
    return std::string(done.headers.get("Location")).substr(kHostUrl.size());
}

/// Changes the token endpoint's good answers on their way back.
inline void change_token_answers(TestHost& host, std::function<void(json::object&)> change) {
    host.transport.after = [change = std::move(change)](
                               const net::ClientRequest& request,
                               SandboxTransport::Answer& answer) -> Task<void> {
        if (!request.url.ends_with("/token") || !answer || answer->status != 200) co_return;
        auto body = json::parse(answer->body).value();
        change(body.as_object());
        answer->body = json::serialize(body);
    };
}

/// Collects the log while it lives, from level debug on.
class LogSink {
  public:
    LogSink() {
        log::configure(log::Level::debug, log::Format::json);
        log::set_sink([this](std::string_view line) { (text += line) += '\n'; });
    }
    ~LogSink() { log::set_sink({}); }
    LogSink(const LogSink&) = delete;
    LogSink& operator=(const LogSink&) = delete;
    std::string text;
};

}  // namespace calhost::test
