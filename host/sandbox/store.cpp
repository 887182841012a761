#include "sandbox/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "calendar/recurrence.h"
#include "sandbox/times.h"

namespace calhost::sandbox {
namespace {

std::optional<Timestamp> last_finish(const calendar::Event& event, std::string_view zone) {
    if (!event.is_series()) return moment_of(event.finish, zone);
    const auto end = calendar::series_end(event);
    if (!end) return moment_of(event.finish, zone);
    // An all-day series ends at a midnight in UTC; the calendar's own may be half a day later.
    if (*end && event.is_all_day()) return **end + std::chrono::hours{14};
    return *end;
}

}  // namespace

const std::string& Row::text() const {
    if (text_.empty()) text_ = boost::json::serialize(body);
    return text_;
}

const Row* EventStore::find(const std::string& id) const {
    const auto it = rows_.find(id);
    return it == rows_.end() ? nullptr : &it->second;
}

std::string EventStore::next_etag() const {
    return fmt::format("\"{}\"", 3'500'000'000'000'000 + 2 * (last_position_ + 1));
}

const Row& EventStore::put(boost::json::object body, calendar::Event event, Timestamp updated,
                           std::string_view zone) {
    auto [it, is_new] = rows_.try_emplace(event.id);
    Row& row = it->second;
    if (!is_new) {
        log_.erase(row.position);
        if (!row.is_cancelled()) --live_;
    }
    row.text_.clear();
    row.body = std::move(body);
    row.event = std::move(event);
    row.updated = updated;
    row.finish = last_finish(row.event, zone);
    const auto start = moment_of(row.event.start, zone);
    row.earliest = is_new ? start : std::min(row.earliest, start);
    if (is_new)
        row.latest = row.finish;
    else if (row.latest)
        row.latest = row.finish ? std::max(row.latest, row.finish) : std::nullopt;
    row.position = ++last_position_;
    log_.emplace(row.position, &row);
    if (!row.is_cancelled()) ++live_;
    if (row.event.is_override()) overrides_[row.event.series_id].insert(row.event.id);
    return row;
}

void EventStore::touch(const std::string& id, Timestamp updated) {
    if (const auto it = rows_.find(id); it != rows_.end()) it->second.updated = updated;
}

void EventStore::erase(const std::string& id) {
    const auto it = rows_.find(id);
    if (it == rows_.end()) return;
    const Row& row = it->second;
    log_.erase(row.position);
    if (!row.is_cancelled()) --live_;
    if (row.event.is_override()) overrides_[row.event.series_id].erase(id);
    rows_.erase(it);
}

std::vector<const Row*> EventStore::overrides_of(const std::string& series_id) const {
    std::vector<const Row*> rows;
    if (const auto it = overrides_.find(series_id); it != overrides_.end())
        for (const auto& id : it->second) rows.push_back(find(id));
    return rows;
}

Calendar* Account::find_calendar(std::string_view id) {
    if (id == "primary")
        for (const auto& [own_id, calendar] : calendars)
            if (calendar->is_primary) return calendar.get();
    const auto it = calendars.find(std::string(id));
    return it == calendars.end() || it->second->is_deleted ? nullptr : it->second.get();
}

Calendar& Account::add_calendar(std::string id, std::string summary, bool is_primary) {
    auto& slot = calendars[id];
    slot = std::make_unique<Calendar>();
    slot->id = std::move(id);
    slot->summary = std::move(summary);
    slot->zone = zone;
    slot->is_primary = is_primary;
    slot->position = ++list_position;
    return *slot;
}

}  // namespace calhost::sandbox
