/// The steps that checks are made of. Nobody outside the room includes this.
#pragma once

#include <fmt/format.h>

#include <optional>

#include "calendar/zone.h"
#include "contract/contract.h"

namespace calhost::contract {

using calendar::Event;
using calendar::EventTime;
using calendar::Window;

inline constexpr std::string_view kZone = "Europe/Berlin";

template <class... T>
Finding wrong(fmt::format_string<T...> text, T&&... parts) {
    return {Verdict::failed, fmt::format(text, std::forward<T>(parts)...)};
}
inline Finding lacking(std::string why) { return {Verdict::not_offered, std::move(why)}; }
/// A step that did not work; one that the provider does not have is no failure. `expected` is the
/// refusal that it should have been.
Finding trouble(std::string_view doing, const Error& error,
                std::optional<ErrorCode> expected = std::nullopt);
/// The failure of a provider that lacks a function which every one needs; nothing when it has it.
std::optional<Finding> without(const Subject& subject, std::string_view function,
                               std::string_view consequence);

/// What `can` says; 0 or false when it says nothing.
bool can(const Subject& subject, std::string_view name);
std::int64_t can_number(const Subject& subject, std::string_view name);

// --- times and events ------------------------------------------------------------------------

/// The Monday four weeks from now or later, and `days` after it.
std::chrono::local_days day(const Subject& subject, int days);
EventTime at(std::chrono::local_days day, int hour, std::string_view zone = kZone, int minute = 0);
EventTime whole(std::chrono::local_days day);
/// From before `first` to after `last`, in every zone.
Window around(std::chrono::local_days first, std::chrono::local_days last);

/// An hour at nine on that day. Titles begin with the run's tag.
Event hour(const Subject& subject, std::string_view title, int days);
std::string tag(const Subject& subject);
std::string next_key(Subject& subject);

// --- calls -----------------------------------------------------------------------------------

/// Creates, and remembers what to delete.
Task<Result<plugin::Written>> make(Subject& subject, Event event, std::string key = "");
Task<Result<Event>> get(Subject& subject, std::string id);
Task<Result<plugin::Written>> change(Subject& subject, std::string id, Event event,
                                     std::string etag);
Task<Result<void>> drop(Subject& subject, std::string id, std::string etag = "");

/// All pages of what changed since `cursor`, and how many there were.
struct Feed {
    std::vector<Event> events;
    std::vector<std::string> deleted;
    std::string cursor;
    std::string zone;
    int pages = 0;
};
Task<Result<Feed>> pull(Subject& subject, plugin::Provider& provider,
                        std::optional<std::string> cursor = std::nullopt);

/// This run's events in the window, as "2027-01-04T08:00:00Z title" or "2027-01-04 title", sorted;
/// from `list_events`, or from the whole feed expanded by the host.
struct Happenings {
    std::vector<std::string> lines;
    std::vector<Event> events;
    int pages = 0;
};
Task<Result<Happenings>> list(Subject& subject, plugin::Provider& provider, Window window);
Task<Result<Happenings>> expand_feed(Subject& subject, Window window);
std::string line_of(const Subject& subject, const Event& event);
/// Compares both with what the host expects. Nothing: they agree.
Task<std::optional<Finding>> compare(Subject& subject, Window window,
                                     std::vector<std::string> wanted);

/// What differs between what was written and what is there; nothing when people see the same.
std::optional<std::string> difference(const Event& wanted, const Event& there);
/// After a write: the answer and what is read say what was wanted.
Task<std::optional<Finding>> read_back(Subject& subject, Event wanted,
                                       const plugin::Written& written);

}  // namespace calhost::contract
