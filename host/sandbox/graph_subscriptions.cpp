// Subscriptions: who wants to hear that something changed, and what they hear.
#include <fmt/format.h>

#include <algorithm>
#include <boost/url.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "sandbox/graph_call.h"
#include "sandbox/occurrences.h"
#include "sandbox/receiver.h"

namespace calhost::sandbox::graph {
namespace {

constexpr auto kShortest = std::chrono::minutes{45};
constexpr auto kLongest = std::chrono::minutes{10'080};
constexpr milliseconds kHandshake{10'000};

std::unexpected<ApiError> bad(std::string message) {
    return refuse(400, "InvalidRequest", std::move(message));
}

std::string host_of(std::string_view address) {
    const auto url = boost::urls::parse_uri(address);
    return url ? std::string(url->encoded_host()) : std::string();
}

Answer<Timestamp> read_expiration(const json::object& sent, Timestamp now) {
    const auto wanted = parse_rfc3339(json::text_of(sent, "expirationDateTime"));
    if (!wanted) return bad("expirationDateTime is missing or no time.");
    if (*wanted <= now) return bad("expirationDateTime is in the past.");
    if (*wanted > now + kLongest)
        return bad("Subscription expiration can only be 10080 minutes in the future.");
    return std::max(*wanted, now + milliseconds(kShortest));
}

Answer<Subscription> read_subscription(const Call& call, const json::object& sent) {
    Subscription one;
    one.account = call.account.email;
    one.url = json::text_of(sent, "notificationUrl");
    one.lifecycle_url = json::text_of(sent, "lifecycleNotificationUrl");
    one.client_state = json::text_of(sent, "clientState");
    one.resource = json::text_of(sent, "resource");
    one.has_immutable_ids = call.prefer.wants_immutable_ids;
    std::string_view changes = json::text_of(sent, "changeType");
    while (!changes.empty()) {
        const auto comma = changes.find(',');
        const auto word = changes.substr(0, comma);
        if (word != "created" && word != "updated" && word != "deleted")
            return bad("changeType is a list of created, updated, deleted.");
        one.changes.emplace_back(word);
        changes = comma == std::string_view::npos ? std::string_view() : changes.substr(comma + 1);
    }
    if (one.changes.empty()) return bad("changeType is missing.");
    if (!is_receiver(one.url)) return bad("notificationUrl must be https.");
    if (!one.lifecycle_url.empty() &&
        (!is_receiver(one.lifecycle_url) || host_of(one.lifecycle_url) != host_of(one.url)))
        return bad("lifecycleNotificationUrl must be https and on the host of notificationUrl.");
    if (one.client_state.size() > 128) return bad("clientState has at most 128 characters.");
    auto resource = std::string_view(one.resource);
    if (resource.starts_with('/')) resource.remove_prefix(1);
    if (resource != "me/events" && resource != "users/" + call.account.subject + "/events")
        return bad("The resource is none that the sandbox can watch: me/events.");
    const auto expiration = read_expiration(sent, call.world.clock.now());
    if (!expiration) return refuse(expiration.error());
    one.expiration = *expiration;
    return one;
}

json::object show(const Call& call, const Subscription& one) {
    json::object body{{"@odata.context", call.world.api() + "/$metadata#subscriptions/$entity"},
                      {"id", one.id},
                      {"resource", one.resource},
                      {"applicationId", call.world.options.client_id},
                      {"changeType", fmt::format("{}", fmt::join(one.changes, ","))},
                      {"clientState", nullptr},
                      {"notificationUrl", one.url},
                      {"lifecycleNotificationUrl",
                       one.lifecycle_url.empty() ? json::value() : json::value(one.lifecycle_url)},
                      {"expirationDateTime", format_rfc3339(one.expiration)},
                      {"creatorId", call.account.subject},
                      {"latestSupportedTlsVersion", "v1_2"}};
    return body;
}

void drop_expired(GraphWorld& world) {
    std::erase_if(world.subscriptions,
                  [&](const Subscription& one) { return one.expiration <= world.clock.now(); });
}

Subscription* find(Call& call) {
    drop_expired(call.world);
    const auto found = std::ranges::find_if(call.world.subscriptions, [&](const auto& one) {
        return one.id == call.word && one.account == call.account.email;
    });
    return found == call.world.subscriptions.end() ? nullptr : &*found;
}

std::unexpected<ApiError> refuse_unknown() {
    return refuse(404, "ResourceNotFound", "The object was not found.");
}

/// The receiver proves that it wants to hear: it sends the token back.
Task<bool> answers_handshake(GraphWorld& world, std::string url) {
    if (!world.validate) co_return true;
    // A token with characters that only a decoded answer brings back.
    const auto token =
        "Validation: Testing client application reachability " + new_id(world.random);
    net::ClientRequest request;
    request.method = "POST";
    request.url = url + (url.find('?') == std::string::npos ? "?" : "&") +
                  "validationToken=" + percent_encode(token);
    request.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
    request.timeout = kHandshake;
    const auto answer = co_await world.validate(std::move(request));
    co_return answer && answer->status == 200 && answer->body == token &&
        answer->headers.get("Content-Type").starts_with("text/plain");
}

void send(GraphWorld& world, const Account& account, const std::string& url, json::object item,
          std::string detail) {
    world.ledger.add({.method = "notify",
                      .account = account.email,
                      .key = std::string(json::text_of(item, "subscriptionId")),
                      .detail = std::move(detail) + " " + url});
    if (!world.deliver) return;
    net::ClientRequest request;
    request.method = "POST";
    request.url = url;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = json::serialize(json::object{{"value", json::array{std::move(item)}}});
    world.deliver(std::move(request));
}

json::object message_of(const Account& account, const Subscription& one) {
    json::object item{{"subscriptionId", one.id},
                      {"subscriptionExpirationDateTime", format_rfc3339(one.expiration)},
                      {"tenantId", account.tenant}};
    if (!one.client_state.empty()) item["clientState"] = one.client_state;
    return item;
}

}  // namespace

Task<Answer<net::Response>> create_subscription(Call& call) {
    const auto sent = call.body();
    if (!sent) co_return refuse(sent.error());
    auto one = read_subscription(call, *sent);
    if (!one) co_return refuse(one.error());
    for (const auto& url : {one->url, one->lifecycle_url})
        if (!url.empty() && !co_await answers_handshake(call.world, url))
            co_return refuse(400, "ValidationError",
                             "Subscription validation request failed. Notification endpoint must "
                             "respond with 200 OK to validation request.");
    drop_expired(call.world);
    if (std::ranges::any_of(call.world.subscriptions, [&](const Subscription& other) {
            return other.account == one->account && other.resource == one->resource &&
                   other.url == one->url && other.changes == one->changes;
        }))
        co_return refuse(409, "Conflict", "There is a subscription with the same parameters.");
    one->id = new_id(call.world.random);
    call.world.subscriptions.push_back(*one);
    auto body = show(call, *one);
    if (!one->client_state.empty()) body["clientState"] = one->client_state;
    co_return ok(std::move(body), 201);
}

Answer<net::Response> list_subscriptions(Call& call) {
    drop_expired(call.world);
    json::array value;
    for (const auto& one : call.world.subscriptions)
        if (one.account == call.account.email) value.push_back(show(call, one));
    return ok({{"@odata.context", call.world.api() + "/$metadata#subscriptions"},
               {"value", std::move(value)}});
}

Answer<net::Response> get_subscription(Call& call) {
    const auto* one = find(call);
    if (one == nullptr) return refuse_unknown();
    return ok(show(call, *one));
}

Answer<net::Response> renew_subscription(Call& call) {
    auto* one = find(call);
    if (one == nullptr) return refuse_unknown();
    if (call.request.method == "POST") {
        one->is_paused = false;
        return no_content();
    }
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    if (sent->contains("lifecycleNotificationUrl"))
        return bad("lifecycleNotificationUrl can only be given at creation.");
    const auto expiration = read_expiration(*sent, call.world.clock.now());
    if (!expiration) return refuse(expiration.error());
    one->expiration = *expiration;
    one->is_paused = false;
    return ok(show(call, *one));
}

Answer<net::Response> delete_subscription(Call& call) {
    const auto* one = find(call);
    if (one == nullptr) return refuse_unknown();
    std::erase_if(call.world.subscriptions,
                  [id = one->id](const Subscription& other) { return other.id == id; });
    return no_content();
}

void notify(GraphWorld& world, const Account& account, const std::string& event_id,
            std::string_view change) {
    drop_expired(world);
    for (const auto& one : world.subscriptions) {
        if (one.account != account.email || one.is_paused ||
            std::ranges::find(one.changes, change) == one.changes.end())
            continue;
        const auto id = show_id(event_id, one.has_immutable_ids);
        const auto resource = fmt::format("Users/{}/Events/{}", account.subject, id);
        auto item = message_of(account, one);
        item["changeType"] = change;
        item["resource"] = resource;
        item["resourceData"] = json::object{
            {"@odata.type", "#Microsoft.Graph.Event"}, {"@odata.id", resource}, {"id", id}};
        send(world, account, one.url, std::move(item), std::string(change));
    }
}

bool notify_lifecycle(GraphWorld& world, const Account& account, std::string_view what) {
    bool is_sent = false;
    std::vector<std::string> removed;
    for (auto& one : world.subscriptions) {
        if (one.account != account.email) continue;
        if (what == "reauthorizationRequired") one.is_paused = true;
        if (what == "subscriptionRemoved") removed.push_back(one.id);
        if (one.lifecycle_url.empty()) continue;
        auto item = message_of(account, one);
        item["lifecycleEvent"] = what;
        send(world, account, one.lifecycle_url, std::move(item), std::string(what));
        is_sent = true;
    }
    std::erase_if(world.subscriptions, [&](const Subscription& one) {
        return std::ranges::find(removed, one.id) != removed.end();
    });
    return is_sent;
}

}  // namespace calhost::sandbox::graph
