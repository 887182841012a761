// The control API: what a test or a person tells the simulated provider to be.
#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "sandbox/parts.h"

namespace calhost::sandbox {
namespace {

net::Response problem(int status, std::string_view sentence) {
    return net::Response::json(status, json::object{{"error", sentence}});
}

net::Response done(json::object body = {}) { return net::Response::json(200, std::move(body)); }

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) parts.emplace_back(path.substr(0, slash));
        if (slash == std::string_view::npos) break;
        path.remove_prefix(slash + 1);
    }
    return parts;
}

std::int64_t number_of(const json::value& body, std::string_view name, std::int64_t otherwise) {
    const auto* value = json::find(body, name);
    return value != nullptr && value->is_int64() ? value->as_int64() : otherwise;
}

/// One control call, taken apart.
struct Order {
    Provider& provider;
    Provider::Parts& own;
    const net::Request& request;
    std::vector<std::string> parts;
    json::value body;  ///< {} when there is none
    World& world = own.world;

    [[nodiscard]] bool is(std::string_view method, std::size_t count) const {
        return request.method == method && parts.size() == count;
    }
};

net::Response add_account(Order& order) {
    const auto email = json::text_of(order.body, "email");
    if (email.find('@') == std::string_view::npos)
        return problem(400, "email is missing or is no e-mail address");
    if (order.world.find_account(email) != nullptr)
        return problem(409, "there is an account with this e-mail address");
    const auto name = json::text_of(order.body, "name");
    const auto zone = json::text_of(order.body, "time_zone");
    order.provider.add_account(std::string(email), std::string(name.empty() ? email : name),
                               std::string(zone.empty() ? "Etc/UTC" : zone));
    return net::Response::json(201, json::object{{"email", email}});
}

net::Response list_accounts(const World& world) {
    json::array list;
    for (const auto& [email, account] : world.accounts) {
        json::array calendars;
        for (const auto& [id, calendar] : account.calendars)
            calendars.push_back(json::object{{"id", id}, {"live", calendar->events.live()}});
        list.push_back(json::object{{"email", email},
                                    {"name", account.name},
                                    {"time_zone", account.zone},
                                    {"calendars", std::move(calendars)}});
    }
    return done({{"accounts", std::move(list)}});
}

net::Response add_calendar(Order& order, Account& account) {
    const std::string id(json::text_of(order.body, "id"));
    if (id.empty() || account.calendars.contains(id))
        return problem(400, "id is missing or there is a calendar with it");
    const auto summary = json::text_of(order.body, "summary");
    auto& calendar = account.add_calendar(id, std::string(summary.empty() ? id : summary), false);
    if (const auto role = json::text_of(order.body, "access_role"); !role.empty())
        calendar.access_role = role;
    if (const auto zone = json::text_of(order.body, "time_zone"); !zone.empty())
        calendar.zone = zone;
    return net::Response::json(201, json::object{{"id", id}});
}

net::Response edit_events(Order& order, Account& account) {
    const auto wanted = order.request.query.get("calendar");
    auto* calendar = account.find_calendar(wanted.empty() ? "primary" : wanted);
    if (calendar == nullptr) return problem(404, "there is no such calendar");
    auto event_id = order.parts.size() == 4 ? order.parts[3] : std::string();
    return order.own.edit_event(account, *calendar, std::move(event_id), order.request);
}

net::Response load_file(Order& order, const Account& account) {
    const auto count = order.provider.load_icalendar(account.email, order.request.body);
    if (!count) return problem(400, count.error().message);
    return done({{"events", *count}});
}

net::Response serve_account(Order& order) {
    const std::string email = order.parts[1];
    auto* account = order.world.find_account(email);
    if (account == nullptr) return problem(404, "there is no such account");
    if (order.is("DELETE", 2)) {
        order.own.grants.revoke_account(email);
        order.world.accounts.erase(email);
        return done();
    }
    if (order.parts.size() < 3) return problem(404, "there is no such control call");
    const std::string& word = order.parts[2];
    if (word == "events" && order.parts.size() <= 4) return edit_events(order, *account);
    if (word == "ics" && order.is("POST", 3)) return load_file(order, *account);
    if (word == "demo" && order.is("POST", 3)) {
        order.provider.add_demo_events(email);
        return done();
    }
    if (word == "revoke" && order.is("POST", 3))
        return done({{"ended", order.own.grants.revoke_account(email)}});
    if (word == "calendars" && order.is("POST", 3)) return add_calendar(order, *account);
    if (word == "calendars" && order.is("DELETE", 4)) {
        auto* calendar = account->find_calendar(order.parts[3]);
        if (calendar == nullptr || calendar->is_primary)
            return problem(404, "there is no such calendar that can go");
        calendar->is_deleted = true;
        calendar->position = ++account->list_position;
        return done();
    }
    if (order.is("POST", 3))
        if (auto answer = order.own.control_account(*account, word, order.body))
            return std::move(*answer);
    return problem(404, "there is no such control call");
}

net::Response expire_sync_tokens(World& world) {
    for (auto& [email, account] : world.accounts) {
        ++account.list_generation;
        for (auto& [id, calendar] : account.calendars) ++calendar->generation;
    }
    return done();
}

net::Response serve_faults(Order& order) {
    auto& faults = order.world.faults;
    if (order.is("DELETE", 1)) {
        faults.clear();
        return done();
    }
    if (order.is("POST", 1))
        if (const auto added = faults.add(order.body); !added)
            return problem(400, added.error().message);
    return done({{"faults", faults.to_json()}});
}

net::Response change_settings(Order& order) {
    auto& settings = order.own.grants.settings;
    if (const auto* rotate = json::find(order.body, "rotate_refresh_tokens"))
        settings.rotates_refresh_tokens = rotate->is_bool() && rotate->as_bool();
    if (const auto seconds = number_of(order.body, "refresh_token_seconds", -1); seconds > 0)
        settings.refresh_life = std::chrono::seconds(seconds);
    if (const auto seconds = number_of(order.body, "access_token_seconds", -1); seconds > 0)
        order.world.options.token_life = std::chrono::seconds(seconds);
    return done({{"rotate_refresh_tokens", settings.rotates_refresh_tokens}});
}

net::Response show_ledger(const Order& order) {
    const auto text = order.request.query.get("since");
    std::size_t since = 0;
    std::from_chars(text.data(), text.data() + text.size(), since);
    return done(order.world.ledger.to_json(since));
}

net::Response reset(Order& order) {
    auto& world = order.world;
    order.own.grants.clear();
    order.own.reset();
    world.accounts.clear();
    world.faults.clear();
    world.ledger.clear();
    world.latency = milliseconds{0};
    return done();
}

net::Response dispatch(Order& order) {
    if (order.parts.empty()) return problem(404, "there is no such control call");
    const std::string& word = order.parts[0];
    if (word == "accounts" && order.is("GET", 1)) return list_accounts(order.world);
    if (word == "accounts" && order.is("POST", 1)) return add_account(order);
    if (word == "accounts" && order.parts.size() >= 2) return serve_account(order);
    if (word == "faults") return serve_faults(order);
    if (word == "ledger" && order.is("GET", 1)) return show_ledger(order);
    if (word == "settings" && order.is("POST", 1)) return change_settings(order);
    if (word == "expire-sync-tokens" && order.is("POST", 1)) return expire_sync_tokens(order.world);
    if (word == "reset" && order.is("POST", 1)) return reset(order);
    if (word == "expire-tokens" && order.is("POST", 1)) {
        order.own.grants.expire_access_tokens();
        return done();
    }
    if (word == "latency" && order.is("POST", 1)) {
        order.world.latency = milliseconds(number_of(order.body, "milliseconds", 0));
        return done();
    }
    return problem(404, "there is no such control call");
}

}  // namespace

net::Response serve_control(Provider& provider, Provider::Parts& parts,
                            const net::Request& request) {
    Order order{provider, parts, request, split(request.path), json::object{}};
    const bool is_file = request.path.ends_with("/ics");
    if (!request.body.empty() && !is_file) {
        auto body = json::parse(request.body);
        if (!body) return problem(400, "the body is no JSON: " + body.error().message);
        order.body = std::move(*body);
    }
    return dispatch(order);
}

}  // namespace calhost::sandbox
