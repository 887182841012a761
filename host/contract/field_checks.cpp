#include "contract/steps.h"
#include "plugin/reminders.h"

namespace calhost::contract {
namespace {

/// Writes it and reads it back.
Task<Finding> keeps(Subject& s, Event event) {
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    co_return Finding{};
}

Task<Finding> texts(Subject& s) {
    auto event = hour(s, "Zażółć gęślą 日本語 עברית 🎻 \"q\" a\\b; c, d", 0);
    event.location = "Straße 5; Hof, 2. OG";
    event.description = "Grüße\nzweite Zeile, mit Komma; in C:\\Ordner.\n\nΕλληνικά";
    co_return co_await keeps(s, std::move(event));
}

Task<Finding> long_text(Subject& s) {
    auto event = hour(s, "long", 0);
    for (int line = 0; event.description.size() < 8'000; ++line)
        event.description += fmt::format("Zeile {} mit Wörtern, die länger werden; 日本\n", line);
    co_return co_await keeps(s, std::move(event));
}

Task<Finding> markup(Subject& s) {
    auto event = hour(s, "markup", 0);
    event.description = "a < b & c > d, x<y";
    co_return co_await keeps(s, std::move(event));
}

Task<Finding> cleared(Subject& s) {
    auto event = hour(s, "cleared", 0);
    event.description = "There for a while";
    event.location = "Room 1";
    event.url = "https://example.com/lesson";
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    event.description.clear();
    event.location.clear();
    event.url.clear();
    const auto changed = co_await change(s, made->event.id, event, made->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (auto problem = co_await read_back(s, event, *changed)) co_return *problem;
    co_return Finding{};
}

Task<Finding> words(Subject& s) {
    auto event = hour(s, "words", 0);
    event.busy = "free";
    event.visibility = "private";
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    event.busy = "tentative";
    event.visibility = "default";
    auto changed = co_await change(s, made->event.id, event, made->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (auto problem = co_await read_back(s, event, *changed)) co_return *problem;
    event.busy = "busy";
    changed = co_await change(s, made->event.id, event, changed->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (auto problem = co_await read_back(s, event, *changed)) co_return *problem;
    co_return Finding{};
}

Task<Finding> marks(Subject& s) {
    auto event = hour(s, "marks", 0);
    event.marks = {{"calhost_key", s.run}, {"calhost_rev", "1"}};
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    event.marks["calhost_rev"] = "2";
    auto change_of_one = event;
    change_of_one.marks.erase("calhost_key");
    const auto changed = co_await change(s, made->event.id, change_of_one, made->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (auto problem = co_await read_back(s, event, *changed)) co_return *problem;
    co_return Finding{};
}

/// Nothing: the service keeps none. Methods without a number mean as many as one likes.
std::optional<plugin::ReminderLimits> limits_of(const Subject& s) {
    plugin::ReminderLimits limits;
    const auto most = can_number(s, "reminders");
    if (most > 0) limits.most = static_cast<int>(most);
    const auto* methods = s.provider.info().can.if_contains("reminder_methods");
    if (methods == nullptr || !methods->is_array())
        return most > 0 ? std::optional(limits) : std::nullopt;
    limits.methods.clear();
    for (const auto& method : methods->as_array())
        if (method.is_string()) limits.methods.emplace(method.as_string());
    return limits;
}

std::string told(const std::vector<calendar::Reminder>& reminders) {
    std::string text;
    for (const auto& reminder : reminders)
        text += fmt::format("{} {} ", reminder.minutes, reminder.method);
    return text;
}

Task<Finding> reminders(Subject& s) {
    const auto limits = limits_of(s);
    if (!limits) co_return lacking("The service keeps no reminders: can.reminders says none.");
    auto event = hour(s, "reminders", 0);
    event.reminders = {{.method = "email", .minutes = 1440},
                       {.method = "popup", .minutes = 60},
                       {.method = "popup", .minutes = 15}};
    const auto fitted = plugin::fit_reminders(*event.reminders, *limits);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    const auto there = co_await get(s, made->event.id);
    if (!there) co_return trouble("get_event", there.error());
    if (!there->reminders || told(*there->reminders) != told(fitted.kept))
        co_return wrong("of the reminders stay [{}] in place of [{}]",
                        there->reminders ? told(*there->reminders) : "the default",
                        told(fitted.kept));
    if (made->lossy.empty() != fitted.lossy.empty())
        co_return wrong("{} reminders are lost, and {} sentences say so", fitted.lossy.size(),
                        made->lossy.size());
    // A change that does not speak of reminders leaves them.
    auto other = hour(s, "reminders stay", 0);
    auto changed = co_await change(s, made->event.id, other, made->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (!changed->event.reminders || told(*changed->event.reminders) != told(fitted.kept))
        co_return wrong("a change of the title takes the reminders away");
    other.reminders.emplace();
    changed = co_await change(s, made->event.id, other, changed->event.etag);
    if (!changed) co_return trouble("update_event", changed.error());
    if (changed->event.reminders && !changed->event.reminders->empty())
        co_return wrong("an event that wants no reminders has some");
    co_return Finding{};
}

}  // namespace

std::vector<Check> field_checks() {
    return {{"texts of many scripts stay as they are", texts},
            {"a description of 8 KB stays whole", long_text},
            {"a text with < and & stays a text", markup},
            {"a text that is empty clears what was there", cleared},
            {"free, tentative and private stay so", words},
            {"the host's marks are found again, and stay", marks},
            {"reminders stay as far as can.reminders says", reminders}};
}

}  // namespace calhost::contract
