#include "sandbox/graph_item.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/json.h"
#include "calendar/recurrence.h"
#include "crypto/crypto.h"
#include "sandbox/graph_recurrence.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

Item occurrence_of(const Calendar& calendar, const Row& series, const calendar::EventTime& start,
                   const calendar::EventTime& finish) {
    auto item = item_of(calendar, series);
    item.id = calendar::occurrence_id(series.event.id, start);
    item.type = "occurrence";
    item.series_id = series.event.id;
    item.start = start;
    item.finish = finish;
    item.slot = start;
    return item;
}

/// The text of a page, good enough for a preview.
std::string plain(std::string_view html) {
    std::string text;
    bool is_tag = false;
    for (const char c : html) {
        if (c == '<') is_tag = true;
        if (!is_tag) text += c;
        if (c == '>') is_tag = false;
    }
    return text;
}

std::string preview_of(const std::string& text) {
    auto end = std::min<std::size_t>(text.size(), 255);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

std::string change_key(const Item& item) {
    const auto text = fmt::format("{} {}", item.id, item.version);
    return base64_encode(crypto::sha256(text).substr(0, 18));
}

}  // namespace

Item item_of(const Calendar& calendar, const Row& row) {
    Item item{.id = row.event.id,
              .type = row.event.is_series()     ? "seriesMaster"
                      : row.event.is_override() ? "exception"
                                                : "singleInstance",
              .series_id = row.event.series_id,
              .body = row.body,
              .start = row.event.start,
              .finish = row.event.finish,
              .slot = row.event.recurrence_id,
              .version = row.position,
              .updated = row.updated,
              .zone = calendar.zone};
    return item;
}

std::optional<Item> find_item(const Calendar& calendar, const std::string& id) {
    if (const auto* row = calendar.events.find(id)) {
        if (row->is_cancelled()) return std::nullopt;
        return item_of(calendar, *row);
    }
    const auto found = find_occurrence(calendar, id);
    if (!found) return std::nullopt;
    return occurrence_of(calendar, *found->series, found->start, found->finish);
}

std::optional<Item> find_item(Account& account, Calendar* only, const std::string& id,
                              Calendar*& found) {
    for (auto& [name, calendar] : account.calendars) {
        if (calendar->is_deleted || (only != nullptr && only != calendar.get())) continue;
        if (auto item = find_item(*calendar, id)) {
            found = calendar.get();
            return item;
        }
    }
    return std::nullopt;
}

std::vector<Item> instances_of(const Calendar& calendar, const Row& series,
                               calendar::Window window) {
    std::vector<Item> items;
    for (const auto& event : expand_rows(calendar, series, window)) {
        const auto* own = calendar.events.find(event.id);
        items.push_back(own != nullptr && own != &series
                            ? item_of(calendar, *own)
                            : occurrence_of(calendar, series, event.start, event.finish));
    }
    return items;
}

std::vector<Item> items_in(const Calendar& calendar, calendar::Window window) {
    std::vector<Item> items;
    for (const auto& [position, row] : calendar.events.log()) {
        if (row->is_cancelled() || row->event.is_override()) continue;
        if (row->event.is_series()) {
            for (auto& item : instances_of(calendar, *row, window))
                items.push_back(std::move(item));
        } else if (overlaps(row->event, window, calendar.zone)) {
            items.push_back(item_of(calendar, *row));
        }
    }
    std::ranges::sort(items, [](const Item& a, const Item& b) {
        return std::tie(a.start.instant, a.id) < std::tie(b.start.instant, b.id);
    });
    return items;
}

std::string etag_of(const Item& item, bool /*is_immutable*/) {
    return "W/\"" + change_key(item) + "\"";
}

json::object present(const Item& item, const Prefer& prefer) {
    const bool is_immutable = prefer.wants_immutable_ids;
    const auto id = show_id(item.id, is_immutable);
    json::object shown{{"@odata.etag", etag_of(item, is_immutable)}, {"id", id}};
    for (const auto& [name, value] : item.body)
        if (name != "singleValueExtendedProperties" && name != "recurrence" && name != kOwnMembers)
            shown[name] = value;
    shown["lastModifiedDateTime"] = format_rfc3339(item.updated);
    shown["changeKey"] = change_key(item);
    shown["type"] = item.type;
    shown["hasAttachments"] = false;
    shown["isDraft"] = false;
    shown["onlineMeeting"] = nullptr;
    shown["onlineMeetingUrl"] = nullptr;
    shown["webLink"] = "https://outlook.office365.com/owa/?itemid=" + percent_encode(id) +
                       "&exvsurl=1&path=/calendar/item";
    shown["seriesMasterId"] =
        item.series_id.empty() ? json::value() : json::value(show_id(item.series_id, is_immutable));
    const auto start_zone = json::text_of(item.body.at("start"), "timeZone");
    shown["originalStartTimeZone"] = start_zone;
    shown["originalEndTimeZone"] = json::text_of(item.body.at("end"), "timeZone");
    shown["start"] = write_time(item.start, prefer.zone);
    shown["end"] = write_time(item.finish, prefer.zone);
    const auto* recurrence = item.body.if_contains("recurrence");
    shown["recurrence"] = recurrence == nullptr || item.type != "seriesMaster"
                              ? json::value()
                              : json::value(write_pattern(*recurrence, std::string(start_zone)));
    if (item.slot)
        shown["originalStart"] =
            format_rfc3339(std::chrono::floor<std::chrono::seconds>(item.slot->instant));
    // The reference: this id differs for each occurrence.
    if (item.slot)
        shown["iCalUId"] =
            std::string(json::text_of(item.body, "iCalUId")) + slot_name(*item.slot).substr(0, 8);
    auto& body = shown["body"].as_object();
    const bool is_html = json::text_of(body, "contentType") == "html";
    const auto text = is_html ? plain(json::text_of(body, "content"))
                              : std::string(json::text_of(body, "content"));
    shown["bodyPreview"] = preview_of(text);
    if (is_html && prefer.wants_text) body = {{"contentType", "text"}, {"content", text}};
    return shown;
}

const Row& store(GraphWorld& world, Account& account, Calendar& calendar, json::object body,
                 calendar::Event event, std::string_view change) {
    std::string key;
    if (const auto* list = json::find(body, "singleValueExtendedProperties"))
        for (const auto& property : list->as_array())
            key += (key.empty() ? "" : "\n") + std::string(json::text_of(property, "id")) + "=" +
                   std::string(json::text_of(property, "value"));
    if (key.empty()) key = event.uid;
    const Row& row =
        calendar.events.put(std::move(body), std::move(event), world.clock.now(), calendar.zone);
    world.ledger.add({.method = "events." + std::string(change),
                      .account = account.email,
                      .calendar = calendar.id,
                      .event_id = row.event.id,
                      .key = std::move(key),
                      .live = calendar.events.live()});
    // Graph mails attendees whatever the caller wants.
    if (const auto* attendees = json::find(row.body, "attendees"))
        for (const auto& attendee : attendees->as_array())
            if (const auto* address = json::find(attendee, "emailAddress"))
                world.ledger.add({.method = "mail",
                                  .account = account.email,
                                  .calendar = calendar.id,
                                  .event_id = row.event.id,
                                  .detail = std::string(json::text_of(*address, "address")),
                                  .live = calendar.events.live()});
    notify(world, account, row.event.id, change);
    return row;
}

}  // namespace calhost::sandbox::graph
