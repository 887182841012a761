// What the rules of bookings may answer. A wrong kind of value is refused and not guessed at: what
// they say is written into people's calendars.
#include "plugin/event_table.h"
#include "plugin/provider_parts.h"
#include "plugin/rule_parts.h"
#include "plugin/rules.h"

namespace calhost::plugin {
namespace {

using calendar::Event;
using calendar::Reminder;
using lua::Reader;
using lua::Type;

constexpr std::int64_t kLongestReminder = 366LL * 24 * 60;

// What a rule may decide, then what it is shown and the host keeps.
constexpr AnswerMember kEvent[] = {
    {"title", Type::string},        {"description", Type::string},
    {"location", Type::string},     {"description_format", Type::string},
    {"url", Type::string},          {"start", Type::table},
    {"finish", Type::table},        {"busy", Type::string},
    {"status", Type::string},       {"visibility", Type::string},
    {"categories", Type::table},    {"color", Type::string},
    {"reminders", Type::table},     {"attendees", Type::table},
    {"all_day", Type::boolean},     {"id", Type::string},
    {"etag", Type::string},         {"uid", Type::string},
    {"series_id", Type::string},    {"recurrence", Type::table},
    {"recurrence_id", Type::table}, {"this_and_future", Type::boolean},
    {"organizer", Type::string},    {"is_organizer", Type::boolean},
    {"sequence", Type::number},     {"created", Type::string},
    {"updated", Type::string},      {"marks", Type::table},
};
constexpr AnswerMember kReminder[] = {{"method", Type::string}, {"minutes", Type::number}};
constexpr AnswerMember kAttendee[] = {{"email", Type::string},
                                      {"name", Type::string},
                                      {"role", Type::string},
                                      {"response", Type::string},
                                      {"is_self", Type::boolean}};

std::unexpected<Error> wrong_answer(std::string_view rule, std::string_view what) {
    return fail(ErrorCode::invalid, fmt::format("{} gave {}", rule, what));
}

/// Something of a list: `use` says what is wrong with an item, or nothing.
std::string list_fault(const Reader& list, std::span<const AnswerMember> members,
                       const std::function<std::string(const Reader&)>& item_fault) {
    std::string fault;
    list.each_item([&](std::int64_t index, const Reader& item) {
        if (!fault.empty()) return;
        fault = item.is_table() ? member_fault(item, members) : "something that is no table";
        if (fault.empty()) fault = item_fault(item);
        if (!fault.empty()) fault += fmt::format(", in item {}", index);
    });
    list.each_field([&](std::string_view name, const Reader&) {
        if (fault.empty()) fault = fmt::format("`{}` in place of a list", name);
    });
    return fault;
}

std::string reminders_fault(const Reader& list) {
    return list_fault(list, kReminder, [](const Reader& item) -> std::string {
        const auto method = item.string_field("method");
        if (method != "popup" && method != "email")
            return R"(a reminder whose `method` is neither "popup" nor "email")";
        const auto minutes = item.integer_field("minutes");
        if (!minutes || *minutes < 0 || *minutes > kLongestReminder)
            return "a reminder whose `minutes` are no whole number from 0 to those of a year";
        return {};
    });
}

std::string attendees_fault(const Reader& list) {
    return list_fault(list, kAttendee, [](const Reader& item) -> std::string {
        return item.string_field("email").empty() ? "an attendee without `email`" : "";
    });
}

std::string event_fault(const Reader& answer) {
    if (!answer.is_table()) return "something that is no event; change the event and return it";
    auto fault = member_fault(answer, kEvent);
    const auto look = [&](std::string_view name, std::string (*find)(const Reader&)) {
        answer.with_field(name, [&](const Reader& list) {
            if (fault.empty() && list.is_table()) fault = find(list);
        });
    };
    look("reminders", reminders_fault);
    look("attendees", attendees_fault);
    // Services take a cancelled event for one that is gone.
    if (fault.empty() && answer.string_field("status") == "cancelled")
        fault = "a cancelled event; booking.filter keeps a booking out of a calendar";
    return fault;
}

Result<Event> read_ruled(const Reader& answer, const Event& before) {
    constexpr std::string_view kRule = "booking.event";
    if (const auto fault = event_fault(answer); !fault.empty()) return wrong_answer(kRule, fault);
    auto event = read_edited(answer, before);
    if (!event)
        return wrong_answer(kRule,
                            fmt::format("an event that makes no sense: {}", event.error().message));
    if (const auto zone = unknown_zone(answer, *event); !zone.empty())
        return wrong_answer(kRule, fmt::format("an event in the unknown time zone '{}'", zone));
    return event;
}

}  // namespace

Ruled<std::optional<bool>> Rules::booking_filter(const boost::json::object& booking,
                                                 const boost::json::object& person,
                                                 const boost::json::object& calendar) {
    Ruled<std::optional<bool>> ruled;
    ruled.failures =
        run("booking.filter", {push_object(booking), push_object(person), push_object(calendar)},
            [&](const Reader& answer) -> Result<void> {
                if (answer.type() != Type::boolean)
                    return wrong_answer("booking.filter", "neither true nor false");
                ruled.answer = answer.boolean();
                return {};
            });
    return ruled;
}

Ruled<Event> Rules::booking_event(Event event, const boost::json::object& booking,
                                  const boost::json::object& person) {
    Ruled<Event> ruled{.answer = std::move(event), .failures = {}};
    const auto push_current = [&](lua::Writer& writer) { push_event(writer, ruled.answer); };
    ruled.failures = run(
        "booking.event", {push_current, push_object(booking), push_object(person)},
        [&](const Reader& answer) -> Result<void> {
            auto read = read_ruled(answer, ruled.answer);
            if (!read) return fail(std::move(read.error()));
            ruled.answer = std::move(*read);
            return {};
        },
        Asked::all);
    return ruled;
}

Ruled<std::optional<std::vector<Reminder>>> Rules::booking_reminders(
    const boost::json::object& booking, const boost::json::object& person) {
    Ruled<std::optional<std::vector<Reminder>>> ruled;
    ruled.failures = run("booking.reminders", {push_object(booking), push_object(person)},
                         [&](const Reader& answer) -> Result<void> {
                             const auto fault = answer.is_table()
                                                    ? reminders_fault(answer)
                                                    : "something that is no list of reminders";
                             if (!fault.empty()) return wrong_answer("booking.reminders", fault);
                             auto read = read_reminders(answer);
                             if (!read) return fail(std::move(read.error()));
                             ruled.answer = std::move(*read);
                             return {};
                         });
    return ruled;
}

Ruled<std::optional<WhenDeleted>> Rules::booking_deleted(const boost::json::object& booking,
                                                         const boost::json::object& person) {
    Ruled<std::optional<WhenDeleted>> ruled;
    ruled.failures =
        run("booking.deleted", {push_object(booking), push_object(person)},
            [&](const Reader& answer) -> Result<void> {
                const auto word = answer.string();
                if (word != "respect" && word != "restore")
                    return wrong_answer("booking.deleted", R"(neither "respect" nor "restore")");
                ruled.answer = word == "restore" ? WhenDeleted::restore : WhenDeleted::respect;
                return {};
            });
    return ruled;
}

}  // namespace calhost::plugin
