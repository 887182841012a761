#include "simulation/caller.h"

#include <fmt/format.h>

namespace calhost::simulation {
namespace {

using test::Cookies;
using test::TestHost;

/// True for as long as it lives; a crash that destroys the coroutine ends it, too.
struct Busy {
    explicit Busy(bool& target) : flag(&target) { target = true; }
    Busy(const Busy&) = delete;
    ~Busy() { *flag = false; }
    bool* flag;
};

struct Running {
    explicit Running(int& target) : count(&target) { ++target; }
    Running(const Running&) = delete;
    ~Running() { --*count; }
    int* count;
};

const net::Headers kJson{{"Content-Type", "application/json"}, {"Accept", "application/json"}};

std::string member(const net::Response& response, std::string_view name) {
    const auto body = json::parse(response.body);
    return body ? std::string(json::text_of(*body, name)) : std::string();
}

}  // namespace

Task<net::Response> Caller::call(Person& person, std::string method, std::string target,
                                 net::Headers headers, std::string body) {
    const Running running(person.running);
    for (const auto& [name, value] : person.credentials) headers.set(name, value);
    const bool wants_json = !headers.get("Accept").contains("text/html");
    const auto what =
        fmt::format("{} {} {}", person.name, method, target.substr(0, target.find('?')));
    trace_->add(what);
    auto response = co_await scene_->host->handle(std::move(method), std::move(target),
                                                  std::move(headers), std::move(body));
    trace_->add(fmt::format("{}: {}", what, response.status));
    if (response.status == 401) person.credentials = {};
    for (auto& invariant : *invariants_) invariant->called({what, wants_json, response});
    co_return response;
}

Task<> Caller::sign_in(Person& person) {
    const Busy busy(person.is_signing_in);
    scene_->known.add_secret(person.password);
    const auto body = json::serialize({{"email", person.email}, {"password", person.password}});
    if (!person.is_registered) {
        const auto made = co_await call(person, "POST", "/auth/register", kJson, body);
        // 409: a crash kept the answer from us, and the host remembers.
        person.is_registered = made.status == 201 || made.status == 409;
    }
    const auto answer = co_await call(person, "POST", "/auth/token", kJson, body);
    if (answer.status != 200) co_return;
    const auto token = member(answer, "access_token");
    scene_->known.add_secret(token);
    person.credentials.set("Authorization", "Bearer " + token);
}

Task<std::string> Caller::consent(std::string url, std::string account) {
    net::ClientRequest request;
    request.url = url + "&auto=allow&login_hint=" + percent_encode(account);
    const auto page = co_await scene_->host->transport.ask(std::move(request));
    if (!page || page->status != 302) co_return std::string();
    std::string target(page->headers.get("Location").substr(test::kHostUrl.size()));
    const auto query = net::Query::parse(target.substr(target.find('?') + 1));
    scene_->known.add_code(std::string(query->get("code")), account);
    scene_->known.add_secret(query->get("state"));
    co_return target;
}

Task<> Caller::connect(Person& person, Slot& slot, std::string account) {
    const Busy busy(slot.is_busy);
    const auto begun =
        co_await call(person, "GET", "/api/calendar/auth-url?account=" + slot.label, kJson);
    if (begun.status != 200) co_return;
    Cookies browser;
    TestHost::remember(begun, browser);
    for (const auto& [name, value] : browser) scene_->known.add_secret(value);
    const auto target = co_await consent(member(begun, "authorization_url"), account);
    if (target.empty()) co_return;
    const Slot before = slot;
    slot.promise = Slot::Promise::unknown;
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto back =
            co_await call(person, "GET", target,
                          {{"Accept", "text/html"}, {"Cookie", TestHost::cookie_header(browser)}});
        if (back.status == 302 && back.headers.get("Location").contains("connected=success")) {
            slot.promise = Slot::Promise::present;
            slot.account = account;
            co_return;
        }
        if (back.status != 502 && back.status != 504) break;
        co_await scene_->host->time.sleep(std::chrono::seconds{5});
    }
    // Every other answer says that nothing was changed.
    slot.promise = before.promise;
    slot.account = before.account;
}

Task<> Caller::disconnect(Person& person, Slot& slot) {
    const Busy busy(slot.is_busy);
    std::optional<std::size_t> grant;
    for (const auto& row : stored_connections(*scene_->host)) {
        const bool is_it = row.account == slot.label && row.email == slot.account;
        if (is_it && !scene_->people.tampered.contains(row.id))
            grant = scene_->known.grant_number(row.refresh_token);
    }
    const Slot before = slot;
    slot.promise = Slot::Promise::unknown;
    const auto answer =
        co_await call(person, "DELETE", "/api/calendar/disconnect?account=" + slot.label, kJson);
    if (answer.status != 200) {
        slot.promise = before.promise;
        co_return;
    }
    slot.promise = Slot::Promise::absent;
    if (grant) scene_->people.given_back.insert(*grant);
}

Task<> Caller::sync(Person& person, std::string query) {
    co_await call(person, "POST", "/api/calendar/sync" + query, kJson);
}

Task<> Caller::look(Person& person, std::string path) { co_await call(person, "GET", path, kJson); }

Task<> Caller::book(std::size_t lesson, std::int64_t version, json::object booking) {
    auto& people = scene_->people;
    booking["version"] = version;
    const auto answer =
        co_await call(people.shop, "PUT", "/api/bookings/" + people.lessons[lesson].id, kJson,
                      json::serialize(booking));
    auto& promised = people.lessons[lesson].promised;
    if (answer.status == 202) promised = std::max(promised, version);
}

}  // namespace calhost::simulation
