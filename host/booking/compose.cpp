#include "booking/compose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "booking/shapes.h"
#include "calendar/zone.h"
#include "storage/email_key.h"

namespace calhost::booking {
namespace {

using calendar::Event;

/// What stands in the calendar when no template says otherwise, or the one that should fails.
void write_builtin_text(Event& event, const View& view) {
    const auto& booking = view.booking;
    const std::string what = booking.title.empty() ? "Booking" : booking.title;
    const auto& name = view.other.name;
    event.title = name.empty() ? what : fmt::format("{} with {}", what, name);
    if (!booking.price.empty()) event.description = fmt::format("Price: {}", booking.price);
    event.location = booking.location;
}

Result<Event> builtin_event(const View& view) {
    const auto& booking = view.booking;
    const auto zone =
        booking.time_zone.empty() ? reading_zone(booking, &view.user) : booking.time_zone;
    auto start = calendar::make_instant(booking.starts_at, zone);
    auto finish = calendar::make_instant(booking.ends_at, zone);
    if (!start || !finish) return fail(start ? finish.error() : start.error());
    Event event;
    event.start = std::move(*start);
    event.finish = std::move(*finish);
    event.marks.emplace(kMark, std::to_string(booking.number));
    write_builtin_text(event, view);
    return event;
}

/// One member: the host's, where the host changed it since.
template <class T>
void take(const T& base, const T& ours, T& theirs) {
    if (!(ours == base)) theirs = ours;
}

/// Services lower the letters of addresses as they like.
template <class People>
auto find_guest(People& people, const std::string& email) {
    return std::ranges::find_if(people, [&](const calendar::Attendee& guest) {
        return storage::email_key(guest.email) == storage::email_key(email);
    });
}

/// Those that the host has set, beside those whom the person invited. Of one who is there already
/// only the name and the role change, where the host changed them; what he answered stays.
void take_attendees(const Event& base, const Event& ours, Event& theirs) {
    if (base.attendees == ours.attendees) return;
    auto all = ours.attendees;
    for (const auto& person : theirs.attendees) {
        const auto known = find_guest(all, person.email);
        const auto before = find_guest(base.attendees, person.email);
        if (known == all.end()) {
            if (before == base.attendees.end()) all.push_back(person);
            continue;
        }
        auto guest = person;
        const auto& was = before == base.attendees.end() ? calendar::Attendee{} : *before;
        take(was.name, known->name, guest.name);
        take(was.role, known->role, guest.role);
        *known = std::move(guest);
    }
    theirs.attendees = std::move(all);
    theirs.sets_attendees = true;
}

void note(Composed& composed, std::vector<std::string> failures) {
    std::ranges::move(failures, std::back_inserter(composed.failures));
}

/// A template that fails leaves the built-in text.
void write_template(Composed& composed, const plugin::Plugins& plugins, const json::object& booking,
                    const json::object& person, const json::object& other) {
    const auto text = plugins.render("booking", {booking, person, other});
    if (!text) return composed.failures.push_back(text.error().message);
    if (!*text) return;
    const auto take = [&](std::string_view name, std::string& into) {
        if (const auto* value = (*text)->if_contains(name); value != nullptr && value->is_string())
            into = value->get_string();
    };
    take("title", composed.event.title);
    take("description", composed.event.description);
    take("location", composed.event.location);
}

void ask_rules(Composed& composed, plugin::Rules& rules, const json::object& booking,
               const json::object& person) {
    auto reminders = rules.booking_reminders(booking, person);
    note(composed, std::move(reminders.failures));
    composed.event.reminders = std::move(reminders.answer);
    auto ruled = rules.booking_event(composed.event, booking, person);
    note(composed, std::move(ruled.failures));
    composed.event = std::move(ruled.answer);
}

json::object shape_of(const View& view) {
    return person_shape(view.booking, view.person, &view.user);
}

}  // namespace

Result<Composed> compose(Scripts scripts, const View& view) {
    auto event = builtin_event(view);
    if (!event) return fail(std::move(event.error()));
    Composed composed{std::move(*event), {}};
    const auto booking = booking_shape(view.booking);
    const auto person = shape_of(view);
    if (scripts.plugins != nullptr)
        write_template(composed, *scripts.plugins, booking, person,
                       person_shape(view.booking, view.other, nullptr));
    if (scripts.rules != nullptr) ask_rules(composed, *scripts.rules, booking, person);
    composed.event.sets_attendees = !composed.event.attendees.empty();
    return composed;
}

plugin::Ruled<bool> goes_to(Scripts scripts, const View& view,
                            const storage::Connection& connection) {
    if (scripts.rules == nullptr) return {connection.takes_bookings, {}};
    auto ruled = scripts.rules->booking_filter(booking_shape(view.booking), shape_of(view),
                                               calendar_shape(connection));
    return {ruled.answer.value_or(connection.takes_bookings), std::move(ruled.failures)};
}

plugin::Ruled<plugin::WhenDeleted> when_deleted(Scripts scripts, const View& view) {
    if (scripts.rules == nullptr) return {plugin::WhenDeleted::respect, {}};
    auto ruled = scripts.rules->booking_deleted(booking_shape(view.booking), shape_of(view));
    return {ruled.answer.value_or(plugin::WhenDeleted::respect), std::move(ruled.failures)};
}

Event merge(const Event& base, const Event& ours, Event theirs) {
    take(base.title, ours.title, theirs.title);
    take(base.location, ours.location, theirs.location);
    take(base.url, ours.url, theirs.url);
    take(base.busy, ours.busy, theirs.busy);
    take(base.visibility, ours.visibility, theirs.visibility);
    take(base.categories, ours.categories, theirs.categories);
    take(base.color, ours.color, theirs.color);
    take(base.reminders, ours.reminders, theirs.reminders);
    take_attendees(base, ours, theirs);
    if (ours.description != base.description ||
        ours.description_format != base.description_format) {
        theirs.description = ours.description;
        theirs.description_format = ours.description_format;
    }
    theirs.start = ours.start;
    theirs.finish = ours.finish;
    theirs.status = ours.status;
    for (const auto& [name, value] : ours.marks) theirs.marks[name] = value;
    return theirs;
}

}  // namespace calhost::booking
