#include "sandbox/channels.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace calhost::sandbox {

void Channels::drop_expired(Timestamp now) {
    std::erase_if(channels_, [&](const auto& channel) { return channel->expiration <= now; });
}

Answer<Channel*> Channels::open(Channel channel, Timestamp now) {
    drop_expired(now);
    if (std::ranges::any_of(channels_, [&](const auto& other) { return other->id == channel.id; }))
        return refuse(400, "channelIdNotUnique", "Channel id " + channel.id + " not unique");
    channels_.push_back(std::make_unique<Channel>(std::move(channel)));
    return channels_.back().get();
}

Answer<> Channels::stop(std::string_view id, std::string_view resource_id,
                        std::string_view account) {
    const auto count = std::erase_if(channels_, [&](const auto& channel) {
        return channel->id == id && channel->resource_id == resource_id &&
               channel->account == account;
    });
    if (count == 0)
        return refuse(404, "notFound", fmt::format("Channel '{}' not found for project", id));
    return {};
}

std::vector<Channel*> Channels::of(std::string_view account, std::string_view calendar,
                                   Timestamp now) {
    drop_expired(now);
    std::vector<Channel*> found;
    for (const auto& channel : channels_)
        if (channel->account == account && channel->calendar == calendar)
            found.push_back(channel.get());
    return found;
}

net::ClientRequest make_notification(Channel& channel, std::string_view state) {
    // Numbers grow, but not by one: a receiver that counts on that is wrong.
    channel.messages = channel.messages == 0 ? 1 : channel.messages + 3;
    net::ClientRequest request;
    request.method = "POST";
    request.url = channel.address;
    const auto expiration = std::chrono::system_clock::to_time_t(
        std::chrono::floor<std::chrono::seconds>(channel.expiration));
    request.headers = {
        {"X-Goog-Channel-ID", channel.id},
        {"X-Goog-Channel-Expiration",
         fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(expiration))},
        {"X-Goog-Resource-ID", channel.resource_id},
        {"X-Goog-Resource-URI", channel.resource_uri},
        {"X-Goog-Resource-State", std::string(state)},
        {"X-Goog-Message-Number", std::to_string(channel.messages)},
    };
    if (!channel.token.empty()) request.headers.set("X-Goog-Channel-Token", channel.token);
    return request;
}

}  // namespace calhost::sandbox
