#include <algorithm>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

Task<Finding> identity(Subject& s) {
    if (auto lack = without(s, "identity", "nobody can connect")) co_return *lack;
    const auto first = co_await s.provider.identity(s.access);
    if (!first) co_return trouble("identity", first.error());
    const auto second = co_await s.provider.identity(s.access);
    if (!second) co_return trouble("identity", second.error());
    if (first->id != second->id)
        co_return wrong("the account is '{}' and then '{}'", first->id, second->id);
    co_return Finding{};
}

Task<Finding> calendars(Subject& s) {
    if (auto lack = without(s, "list_calendars", "nobody can choose a calendar")) co_return *lack;
    const auto list = co_await s.provider.list_calendars(s.access);
    if (!list) co_return trouble("list_calendars", list.error());
    if (list->empty()) co_return wrong("the account has no calendars");
    const auto primary =
        std::ranges::count_if(*list, [](const auto& row) { return row.is_primary; });
    if (primary > 1) co_return wrong("{} calendars are the primary one", primary);
    const auto ours = std::ranges::find_if(*list, [&](const auto& row) {
        return row.id == s.calendar_id || (s.calendar_id == "primary" && row.is_primary);
    });
    if (ours == list->end()) co_return wrong("the calendar {} is not listed", s.calendar_id);
    if (ours->is_read_only) co_return wrong("the calendar {} is read-only", s.calendar_id);
    for (const auto& row : *list)
        if (!row.time_zone.empty() && !calendar::is_zone(row.time_zone))
            co_return wrong("'{}' is no IANA time zone", row.time_zone);
    co_return Finding{};
}

Task<Finding> missing(Subject& s) {
    const auto made = co_await make(s, hour(s, "missing", 0));
    if (!made) co_return trouble("create_event", made.error());
    if (auto gone = co_await drop(s, made->event.id); !gone)
        co_return trouble("delete_event", gone.error());
    const auto there = co_await get(s, made->event.id);
    if (there) co_return wrong("a deleted event is still there");
    if (there.error().code != ErrorCode::not_found)
        co_return trouble("get_event of a deleted event", there.error(), ErrorCode::not_found);
    co_return Finding{};
}

Task<Finding> channels(Subject& s) {
    if (!can(s, "push"))
        co_return lacking("The service has no notifications: can.push is not true.");
    if (s.stage.channel_url.empty())
        co_return lacking("Notifications need an address that the service can reach.");
    const plugin::ChannelRequest request{next_key(s), Secret("s3cret"), s.stage.channel_url};
    const auto opened = co_await s.provider.open_channel(s.access, s.calendar_id, request);
    if (!opened) co_return trouble("open_channel", opened.error());
    if (opened->expires_at <= s.clock.now()) co_return wrong("the new channel has ended already");
    const plugin::ChannelRequest next{next_key(s), Secret("s3cret"), s.stage.channel_url};
    const auto renewed = co_await s.provider.renew_channel(s.access, s.calendar_id, next, *opened);
    if (!renewed) co_return trouble("renew_channel", renewed.error());
    if (renewed->id != opened->id && renewed->id != next.id)
        co_return wrong("the renewed channel is neither the old nor the new one");
    for (const auto& channel : {*opened, *renewed, *renewed}) {
        auto closed = co_await s.provider.close_channel(s.access, s.calendar_id, channel);
        if (!closed) co_return trouble("close_channel", closed.error());
    }
    co_return Finding{};
}

}  // namespace

std::vector<Check> account_checks() {
    return {{"the account has one identity", identity},
            {"the calendars are listed, this one writable", calendars},
            {"an event that was deleted is not found", missing},
            {"a channel opens, is renewed and closes", channels}};
}

}  // namespace calhost::contract
