#include <array>

#include "plugin/provider.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;
using lua::Writer;

constexpr auto kNews = std::to_array<std::pair<std::string_view, News>>({
    {"opened", News::opened},
    {"changed", News::changed},
    {"missed", News::missed},
    {"expires", News::expires},
    {"lost", News::lost},
});

constexpr std::array kChannel{AnswerMember{"resource", Type::string},
                              AnswerMember{"expires_at", Type::string}};

constexpr std::array kNotification{AnswerMember{"reply", Type::table},
                                   AnswerMember{"channels", Type::table}};

constexpr std::array kReply{AnswerMember{"status", Type::number},
                            AnswerMember{"headers", Type::table},
                            AnswerMember{"body", Type::string}};

lua::Push push_request(ChannelRequest request) {
    return [request = std::move(request)](Writer& writer) {
        writer.begin_table(0, 3);
        writer.field("id", request.id);
        writer.field("secret", request.secret.expose());
        writer.field("url", request.url);
    };
}

lua::Push push_known(Channel channel) {
    return [channel = std::move(channel)](Writer& writer) {
        writer.begin_table(0, 3);
        writer.field("id", channel.id);
        writer.field("resource", channel.resource);
        writer.field("expires_at", format_rfc3339(channel.expires_at));
    };
}

Result<void> read_channel(const Reader& table, Channel& channel) {
    if (!table.is_table()) return wrong_result("no table of a channel");
    if (auto checked = check_types(table, kChannel); !checked) return checked;
    channel.resource = table.string_field("resource");
    const auto expires = parse_rfc3339(table.string_field("expires_at"));
    if (!expires) return wrong_result("a channel without `expires_at`");
    channel.expires_at = *expires;
    return {};
}

Result<void> read_notice(const Reader& item, Notification& notification) {
    const auto* const found = std::ranges::find(kNews, item.string_field("what"),
                                                [](const auto& row) { return row.first; });
    if (found == kNews.end()) return wrong_result("a notification with an unknown `what`");
    notification.notices.push_back({.id = std::string(item.string_field("id")),
                                    .secret = Secret(std::string(item.string_field("secret"))),
                                    .what = found->second});
    return {};
}

net::Response read_reply(const Reader& table) {
    net::Response reply;
    reply.status = static_cast<int>(table.integer_field("status").value_or(200));
    reply.body = table.string_field("body");
    table.with_field("headers", [&](const Reader& headers) {
        if (!headers.is_table()) return;
        headers.each_field([&](std::string_view name, const Reader& value) {
            reply.headers.set(name, std::string(value.string()));
        });
    });
    return reply;
}

Result<void> read_news(const Reader& table, Notification& notification) {
    if (!table.is_table()) return wrong_result("no table of a notification");
    if (auto checked = check_members(table, kNotification); !checked) return checked;
    Result<void> outcome;
    table.with_field("reply", [&](const Reader& reply) {
        if (!reply.is_table()) return;
        outcome = check_members(reply, kReply);
        notification.reply = read_reply(reply);
    });
    table.with_field("channels", [&](const Reader& list) {
        if (!list.is_table()) return;
        list.each_item([&](std::int64_t, const Reader& item) {
            if (outcome) outcome = read_notice(item, notification);
        });
    });
    return outcome;
}

/// Header names in lower case, as in the answers of `ctx.http`.
lua::Push push_http_request(const net::Request& request) {
    return [&request](Writer& writer) {
        writer.begin_table(0, 5);
        writer.field("method", request.method);
        writer.field("path", request.path);
        writer.field("body", request.body);
        writer.open_field("query");
        for (const auto& [name, value] : request.query) writer.field(name, value);
        writer.close_field("query");
        writer.open_field("headers", 0, static_cast<int>(request.headers.size()));
        for (const auto& [name, value] : request.headers) {
            std::string lower = name;
            std::ranges::transform(lower, lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            });
            writer.field(lower, value);
        }
        writer.close_field("headers");
    };
}

}  // namespace

Task<Result<Channel>> Provider::call_channel(std::string function, Access& access,
                                             std::vector<lua::Push> arguments, std::string id) {
    Channel channel{.id = std::move(id)};
    auto done = co_await call(std::move(function), access, std::move(arguments),
                              [&](const Reader& table) { return read_channel(table, channel); });
    if (!done) co_return fail(done.error());
    co_return channel;
}

Task<Result<Channel>> Provider::open_channel(Access& access, std::string calendar_id,
                                             ChannelRequest request) {
    std::string id = request.id;
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_request(std::move(request))};
    co_return co_await call_channel("open_channel", access, std::move(arguments), std::move(id));
}

Task<Result<Channel>> Provider::renew_channel(Access& access, std::string calendar_id,
                                              ChannelRequest request, Channel known) {
    if (!offers("renew_channel"))
        co_return co_await open_channel(access, std::move(calendar_id), std::move(request));
    std::string id = known.id;
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_request(std::move(request)),
                                     push_known(std::move(known))};
    co_return co_await call_channel("renew_channel", access, std::move(arguments), std::move(id));
}

Task<Result<void>> Provider::close_channel(Access& access, std::string calendar_id, Channel known) {
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_known(std::move(known))};
    co_return co_await call("close_channel", access, std::move(arguments),
                            [](const Reader& value) -> Result<void> {
                                if (!value.boolean()) return wrong_result("no true after closing");
                                return {};
                            });
}

Result<Notification> Provider::read_notification(const net::Request& request) {
    if (auto admitted = breakers_.admit(""); !admitted) return fail(admitted.error());
    const auto function = state_->member(table_, "read_notification");
    if (!function.is_set())
        return fail(ErrorCode::unsupported,
                    fmt::format("{} does not offer read_notification", info_.title));
    Notification notification;
    std::vector<lua::Push> arguments{push_http_request(request)};
    const auto outcome = state_->call_now(
        function, std::move(arguments), kCallBudget, [&](std::span<const Reader> results) {
            return read_first("read_notification", results,
                              [&](const Reader& table) { return read_news(table, notification); });
        });
    breakers_.report("", outcome ? lua::Overrun::none : outcome.error().overrun);
    if (!outcome) return fail(report(outcome.error(), "read_notification", ""));
    return notification;
}

}  // namespace calhost::plugin
