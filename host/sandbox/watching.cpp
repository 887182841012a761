// Watch channels at the API's edge.
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "sandbox/calendar_api.h"
#include "sandbox/receiver.h"

namespace calhost::sandbox {
namespace {

constexpr milliseconds kLongest = std::chrono::hours{24 * 7};

std::int64_t to_number(std::string_view text) {
    return text.empty() || text.size() > 15 ? 0 : std::atoll(std::string(text).c_str());
}

/// The stricter of what was asked and a week.
Timestamp expiration_of(const json::object& sent, Timestamp now) {
    auto limit = now + kLongest;
    if (const auto* params = json::find(sent, "params"))
        if (const auto seconds = to_number(json::text_of(*params, "ttl")); seconds > 0)
            limit = std::min(limit, now + std::chrono::seconds(seconds));
    if (const auto millis = to_number(json::text_of(sent, "expiration")); millis > to_millis(now))
        limit = std::min(limit, from_millis(millis));
    return limit;
}

}  // namespace

void send_notification(GoogleWorld& world, Channel& channel, std::string_view state) {
    auto message = make_notification(channel, state);
    world.ledger.add({.method = "notify",
                      .account = channel.account,
                      .calendar = channel.calendar,
                      .key = channel.id,
                      .detail = std::string(state) + " " + channel.address});
    if (world.deliver) world.deliver(std::move(message));
}

void notify_watchers(GoogleWorld& world, const Account& account, const Calendar& calendar) {
    for (auto* channel : world.channels.of(account.email, calendar.id, world.clock.now()))
        send_notification(world, *channel, "exists");
}

Answer<net::Response> watch_events(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    Channel channel;
    channel.id = json::text_of(*sent, "id");
    channel.token = json::text_of(*sent, "token");
    channel.address = json::text_of(*sent, "address");
    if (channel.id.empty() || channel.id.size() > 64)
        return refuse(400, "channelIdInvalid", "Channel id is missing or too long.");
    if (channel.token.size() > 256) return refuse(400, "invalid", "Channel token is too long.");
    if (json::text_of(*sent, "type") != "web_hook")
        return refuse(400, "unknownType", "Unknown channel type.");
    if (!is_receiver(channel.address))
        return refuse(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS.");
    channel.account = call.account.email;
    channel.calendar = call.calendar->id;
    channel.resource_id =
        base64url_encode(crypto::sha256(channel.account + " " + channel.calendar)).substr(0, 27);
    channel.resource_uri = call.world.options.issuer + "/calendar/v3/calendars/" +
                           percent_encode(channel.calendar) + "/events?alt=json";
    channel.expiration = expiration_of(*sent, call.world.clock.now());
    const auto opened = call.world.channels.open(channel, call.world.clock.now());
    if (!opened) return refuse(opened.error());
    send_notification(call.world, **opened, "sync");
    json::object body{{"kind", "api#channel"},
                      {"id", channel.id},
                      {"resourceId", channel.resource_id},
                      {"resourceUri", channel.resource_uri},
                      {"expiration", std::to_string(to_millis(channel.expiration))}};
    if (!channel.token.empty()) body["token"] = channel.token;
    return net::Response::json(200, body);
}

Answer<net::Response> stop_channel(Call& call) {
    const auto sent = call.body();
    if (!sent) return refuse(sent.error());
    const auto stopped = call.world.channels.stop(
        json::text_of(*sent, "id"), json::text_of(*sent, "resourceId"), call.account.email);
    if (!stopped) return refuse(stopped.error());
    net::Response response;
    response.status = 204;
    return response;
}

}  // namespace calhost::sandbox
