#include <algorithm>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

using enum ErrorCode;

/// What the service seems to answer, and what may come of it.
struct Fault {
    std::string_view name;
    Answer answer;
    std::vector<ErrorCode> reading, creating, changing, deleting;
    bool may_delete = false;  ///< a deletion may take it for its success
};

Answer status(int code, net::Headers headers = {}, std::string body = "") {
    return net::ClientResponse{code, std::move(headers), std::move(body)};
}

std::vector<Fault> faults() {
    const std::vector<ErrorCode> signed_out{unauthorized, needs_reauth}, slow{rate_limited},
        down{unavailable}, late{timeout}, nonsense{invalid_response};
    // A refused creation is looked up, and then the service is as broken as before.
    const std::vector<ErrorCode> taken{already_exists, conflict, invalid, unavailable};
    const net::Headers html{{"Content-Type", "text/html; charset=utf-8"}};
    return {
        {"401", status(401), signed_out, signed_out, signed_out, signed_out},
        {"403", status(403), {forbidden}, {forbidden}, {forbidden}, {forbidden}},
        {"404", status(404), {not_found}, {not_found, invalid}, {not_found}, {not_found}, true},
        {"409",
         status(409),
         {conflict, already_exists, invalid_response, invalid},
         taken,
         {conflict, already_exists, invalid},
         {conflict, already_exists, invalid}},
        {"410",
         status(410),
         {not_found, cursor_expired},
         {not_found, invalid, unavailable},
         {not_found},
         {not_found},
         true},
        {"412", status(412), {conflict, invalid_response, invalid}, taken, {conflict}, {conflict}},
        {"429", status(429, {{"Retry-After", "3600"}}), slow, slow, slow, slow},
        {"500", status(500), down, down, down, down},
        {"503", status(503), down, down, down, down},
        {"a timeout", fail(timeout, "The answer did not come in time."), late, late, late, late},
        {"a truncated answer", fail(invalid_response, "The answer was cut off."), nonsense,
         nonsense, nonsense, nonsense},
        {"half an answer",
         status(200, {}, R"({"items":[{"id":)"),
         nonsense,
         nonsense,
         nonsense,
         {}},
        {"a web page", status(200, html, "<!doctype html><title>Sign in</title>"), nonsense,
         nonsense, nonsense, nonsense},
    };
}

/// "not_found or conflict"
std::string told(const std::vector<ErrorCode>& codes) {
    std::vector<std::string_view> words;
    for (const auto code : codes) words.push_back(calhost::to_string(code));
    return fmt::format("{}", fmt::join(words, " or "));
}

/// Nothing: as it should be.
template <class T>
std::optional<Finding> judge(std::string_view doing, const Fault& fault, const Result<T>& outcome,
                             const std::vector<ErrorCode>& allowed, bool may_succeed = false) {
    if (allowed.empty() || (outcome && may_succeed)) return std::nullopt;
    const auto expected = told(allowed);
    if (outcome)
        return wrong("{} takes {} for a success; expected is {}", doing, fault.name, expected);
    const auto code = outcome.error().code;
    if (code == rate_limited && !outcome.error().retry_after)
        return wrong(
            "{} answered with {} gives rate_limited and does not say how long to wait; expected is "
            "a retry_after with it",
            doing, fault.name);
    if (code == unsupported || std::ranges::find(allowed, code) != allowed.end())
        return std::nullopt;
    return wrong("{} answered with {} gives {} in place of {}: {}", doing, fault.name,
                 calhost::to_string(code), expected, outcome.error().message);
}

Task<Finding> reading(Subject& s) {
    const auto made = co_await make(s, hour(s, "read", 0));
    if (!made) co_return trouble("create_event", made.error());
    const auto start = co_await pull(s, s.provider);
    if (!start) co_return trouble("list_changes", start.error());
    const auto window = around(day(s, 0), day(s, 1));
    for (const auto& fault : faults()) {
        s.front.answer_all(fault.answer);
        auto problem = judge("list_calendars", fault, co_await s.provider.list_calendars(s.access),
                             fault.reading);
        if (!problem)
            problem = judge("get_event", fault, co_await get(s, made->event.id), fault.reading);
        if (!problem)
            problem =
                judge("list_events", fault, co_await list(s, s.provider, window), fault.reading);
        if (!problem)
            problem =
                judge("busy", fault, co_await s.provider.busy(s.access, {s.calendar_id}, window),
                      fault.reading);
        if (!problem)
            problem = judge("list_changes", fault, co_await pull(s, s.provider), fault.reading);
        s.front.be_quiet();
        if (problem) co_return *problem;
    }
    co_return Finding{};
}

/// A cursor is given up only when the service says that it is lost; a service that is down must not
/// lead to a full pull each time.
Task<Finding> cursor_kept(Subject& s) {
    const auto start = co_await pull(s, s.provider);
    if (!start) co_return trouble("list_changes", start.error());
    for (const auto& fault : faults()) {
        if (!fault.answer || fault.answer->status == 401 || fault.answer->status == 429) {
            s.front.answer_all(fault.answer);
            const auto outcome = co_await pull(s, s.provider, start->cursor);
            s.front.be_quiet();
            if (auto problem = judge("list_changes with a cursor", fault, outcome, fault.reading))
                co_return *problem;
        }
    }
    if (auto again = co_await pull(s, s.provider, start->cursor); !again)
        co_return trouble("list_changes after the faults", again.error());
    co_return Finding{};
}

Task<Finding> creating(Subject& s) {
    const auto event = hour(s, "made up", 0);
    const auto key = next_key(s);
    for (const auto& fault : faults()) {
        s.front.answer_all(fault.answer);
        const auto outcome = co_await s.provider.create_event(s.access, s.calendar_id, event, key);
        s.front.be_quiet();
        if (auto problem = judge("create_event", fault, outcome, fault.creating))
            co_return *problem;
    }
    const auto made = co_await make(s, event, key);
    if (!made) co_return trouble("create_event after the faults", made.error());
    const auto there = co_await list(s, s.provider, around(day(s, 0), day(s, 1)));
    if (!there) co_return trouble("list_events", there.error());
    if (there->lines.size() != 1)
        co_return wrong("after the faults the event is there {} times", there->lines.size());
    co_return Finding{};
}

Task<Finding> changing(Subject& s) {
    const auto event = hour(s, "before", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    const auto later = hour(s, "after", 0);
    for (const auto& fault : faults()) {
        s.front.answer_all(fault.answer);
        const auto outcome = co_await change(s, made->event.id, later, made->event.etag);
        s.front.be_quiet();
        if (auto problem = judge("update_event", fault, outcome, fault.changing))
            co_return *problem;
    }
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    const auto changed = co_await change(s, made->event.id, later, made->event.etag);
    if (!changed) co_return trouble("update_event after the faults", changed.error());
    co_return Finding{};
}

Task<Finding> deleting(Subject& s) {
    const auto event = hour(s, "stays", 0);
    const auto made = co_await make(s, event);
    if (!made) co_return trouble("create_event", made.error());
    for (const auto& fault : faults()) {
        s.front.answer_all(fault.answer);
        const auto outcome = co_await drop(s, made->event.id, made->event.etag);
        s.front.be_quiet();
        if (auto problem = judge("delete_event", fault, outcome, fault.deleting, fault.may_delete))
            co_return *problem;
    }
    if (auto problem = co_await read_back(s, event, *made)) co_return *problem;
    co_return Finding{};
}

Task<Finding> opening(Subject& s) {
    if (!s.provider.offers("open_channel"))
        co_return lacking("The provider opens no channels: it has no open_channel.");
    const plugin::ChannelRequest request{next_key(s), Secret("s3cret"),
                                         "https://calhost.example/hook"};
    for (const auto& fault : faults()) {
        s.front.answer_all(fault.answer);
        const auto outcome = co_await s.provider.open_channel(s.access, s.calendar_id, request);
        s.front.be_quiet();
        if (auto problem = judge("open_channel", fault, outcome, fault.changing))
            co_return *problem;
    }
    co_return Finding{};
}

}  // namespace

std::vector<Check> fault_checks() {
    return {{"faults while reading have their codes", reading},
            {"faults do not cost the cursor", cursor_kept},
            {"faults while creating have their codes and double nothing", creating},
            {"faults while changing have their codes and change nothing", changing},
            {"faults while deleting have their codes and delete nothing", deleting},
            {"faults while opening a channel have their codes", opening}};
}

}  // namespace calhost::contract
