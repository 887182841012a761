// Every fault in every kind of call of every provider: what the caller is told, and that nothing is
// lost or doubled once the same call was made again, as a job does.
#include <doctest/doctest.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "faults/bed.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

enum Call { list, create, update, remove, channel };
constexpr std::array kCalls{"list", "create", "update", "delete", "channel"};

struct Row {
    std::string name;
    /// What the caller is told by list, create, update, delete and channel, in this order; "-": the
    /// fault cannot happen there.
    std::string told;
    std::function<Fault(const Bed&)> fault;
};

Fault refuse(const Bed& bed, int status, std::string word = {}, net::Headers headers = {},
             int count = -1) {
    auto answer = bed.refusal(status, word);
    for (const auto& [name, value] : headers) answer.headers.add(name, value);
    return {.answer = [answer] { return answer; }, .count = count};
}
Fault fail_with(ErrorCode code, std::string message, int count = -1, bool is_after = false) {
    return {.answer = [=]() -> Answer { return fail(code, message); },
            .count = count,
            .is_after = is_after};
}
std::string http_date(Timestamp when) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch());
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(seconds.count()));
}

/// The calendar before the fault: one event that stays, one that is changed or deleted, one that
/// came since the cursor.
struct Scene {
    explicit Scene(Bed& account) : bed(&account) {
        write("Kept");
        target = write("Target");
        cursor = read(std::nullopt).cursor;
        write("New");
    }

    [[nodiscard]] calendar::Event event(const std::string& title) const {
        calendar::Event made;
        made.title = title;
        made.start = *calendar::make_instant(day() + 10h, "Europe/Berlin");
        made.finish = *calendar::make_instant(day() + 11h, "Europe/Berlin");
        made.marks["calhost_key"] = title;
        return made;
    }
    /// One person's calendars never share a key.
    [[nodiscard]] std::string key(const std::string& title) const {
        return title + bed->calendar();
    }
    [[nodiscard]] Timestamp day() const {
        return std::chrono::floor<std::chrono::days>(bed->now()) + std::chrono::days{3};
    }
    calendar::Event write(const std::string& title) {
        auto done = bed->wait(
            bed->provider().create_event(bed->access(), bed->calendar(), event(title), key(title)));
        REQUIRE_MESSAGE(done.has_value(), done.error().message);
        return done->event;
    }

    struct Seen {
        std::vector<std::string> titles;  ///< sorted; "gone" for a deletion
        std::string cursor;
        std::string problem;  ///< the code's word; empty: none
        std::optional<milliseconds> retry_after;
    };
    Seen read(std::optional<std::string> since) {
        Seen seen;
        std::optional<std::string> page;
        do {
            auto part = bed->wait(bed->provider().list_changes(
                bed->access(), bed->calendar(), since, page,
                {bed->now() - std::chrono::days{1}, bed->now() + std::chrono::days{60}}));
            if (!part) return {.problem = std::string(to_string(part.error().code))};
            for (const auto& item : part->events) seen.titles.push_back(item.title);
            for (std::size_t i = 0; i < part->deleted.size(); ++i) seen.titles.emplace_back("gone");
            page = part->page;
            seen.cursor = part->cursor.value_or("");
        } while (page);
        std::ranges::sort(seen.titles);
        return seen;
    }
    /// Titles of what is in the calendar, each as often as it is there.
    std::string truth() {
        auto seen = read(std::nullopt);
        CHECK(seen.problem.empty());
        std::erase(seen.titles, "gone");
        return fmt::format("{}", fmt::join(seen.titles, " "));
    }

    /// Makes the call once; gives "ok" or the code's word.
    std::string make(Call call) {
        auto& provider = bed->provider();
        switch (call) {
            case list: {
                auto seen = read(cursor);
                if (seen.problem.empty()) CHECK(seen.titles == std::vector<std::string>{"New"});
                return seen.problem.empty() ? "ok" : seen.problem;
            }
            case create:
                return word_of(bed->wait(provider.create_event(bed->access(), bed->calendar(),
                                                               event("Created"), key("created"))));
            case update:
                return word_of(bed->wait(provider.update_event(
                    bed->access(), bed->calendar(), target.id, event("Changed"), target.etag)));
            case remove:
                return word_of(bed->wait(
                    provider.delete_event(bed->access(), bed->calendar(), target.id, target.etag)));
            case channel:
                return word_of(bed->wait(provider.open_channel(
                    bed->access(), bed->calendar(),
                    {.id = "channel-" + std::to_string(++channels),
                     .secret = Secret("a secret of the channel"),
                     .url = "https://host.example/hook/" + std::to_string(channels)})));
        }
        return {};
    }
    template <class T>
    static std::string word_of(const Result<T>& result) {
        return result ? "ok" : std::string(to_string(result.error().code));
    }

    /// What a job does after a failure: reads again where it must, and repeats.
    std::string make_again(Call call) {
        auto word = make(call);
        if (call == list && word == "cursor_expired") {
            cursor.reset();
            return read(cursor).problem.empty() ? "ok" : "failed";
        }
        if (word != "conflict" || call == create) return word;
        const auto there =
            bed->wait(bed->provider().get_event(bed->access(), bed->calendar(), target.id));
        REQUIRE(there.has_value());
        if (call == update && there->title == "Changed") return "ok";  // it was done after all
        target.etag = there->etag;
        return make(call);
    }

    Bed* bed;
    calendar::Event target;
    std::optional<std::string> cursor;
    int channels = 0;  ///< each attempt has a name of its own, as the host gives them
};

const std::array kTruth{"Kept New Target", "Created Kept New Target", "Changed Kept New",
                        "Kept New", "Kept New Target"};

bool is_write(const net::ClientRequest& request) {
    return request.method == "POST" || request.method == "PUT" || request.method == "PATCH" ||
           request.method == "DELETE";
}

void check_cell(Bed& bed, const Row& row, Call call, const std::string& told) {
    CAPTURE(row.name);
    CAPTURE(std::string(kCalls.at(call)));
    Scene scene(bed);
    bed.wire.count = 0;
    bed.wire.break_on([call](const auto& request) { return call == list || is_write(request); },
                      row.fault(bed));
    CHECK(scene.make(call) == told);
    CHECK(bed.wire.count > 0);
    bed.wire.mend();
    bed.let_time_pass();
    CHECK(scene.make_again(call) == "ok");
    CHECK(scene.truth() == kTruth.at(call));
}

/// Five words, one for each call.
std::vector<std::string> words_of(const std::string& told) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < told.size();) {
        const auto end = std::min(told.find(' ', at), told.size());
        if (end > at) words.push_back(told.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

void check_matrix(const std::function<std::unique_ptr<Bed>()>& make_bed,
                  const std::vector<Row>& rows) {
    log::set_sink([](std::string_view) {});
    const auto first = make_bed();  // what the beds share stays as long as it does
    for (const auto& row : rows) {
        const auto words = words_of(row.told);
        REQUIRE_MESSAGE(words.size() == kCalls.size(), row.name);
        for (std::size_t call = 0; call < kCalls.size(); ++call)
            if (words[call] != "-")
                check_cell(*make_bed(), row, static_cast<Call>(call), words[call]);
    }
    log::set_sink({});
}

/// Faults that look the same wherever they happen; `told` is in the order of `Row::told`.
struct Told {
    std::string seconds, date, always, server, stall_connect, stall_body, truncated, html, tls,
        lost_reply;
};
std::vector<Row> wire_faults(const Told& told) {
    return {
        {"429 with seconds, once", told.seconds,
         [](const Bed& bed) { return refuse(bed, 429, {}, {{"Retry-After", "2"}}, 1); }},
        {"429 with a date, once", told.date,
         [](const Bed& bed) {
             return refuse(bed, 429, {}, {{"Retry-After", http_date(bed.now() + 2s)}}, 1);
         }},
        {"429 without a word, for ever", told.always,
         [](const Bed& bed) { return refuse(bed, 429); }},
        {"500 for ever", told.server, [](const Bed& bed) { return refuse(bed, 500); }},
        {"no connection", told.stall_connect,
         [](const Bed&) { return fail_with(ErrorCode::timeout, "The connection stalls."); }},
        {"a body that stalls, once", told.stall_body,
         [](const Bed&) { return fail_with(ErrorCode::timeout, "The body stalls.", 1, true); }},
        {"a truncated answer, once", told.truncated,
         [](const Bed&) {
             return fail_with(ErrorCode::invalid_response, "The answer was cut off.", 1, true);
         }},
        {"HTML with status 200", told.html,
         [](const Bed&) {
             return Fault{.answer = [] {
                 return net::ClientResponse{
                     200, {{"Content-Type", "text/html"}}, "<html>Please sign in</html>"};
             }};
         }},
        {"a certificate that is not good", told.tls,
         [](const Bed&) {
             return fail_with(ErrorCode::unavailable, "The certificate is not good.");
         }},
        {"a lost reply, once", told.lost_reply,
         [](const Bed&) {
             return fail_with(ErrorCode::unavailable, "The connection was reset.", 1, true);
         }},
    };
}

Row status_fault(int status, std::string word, std::string told, int count = -1) {
    return {fmt::format("{} {}", status, word), std::move(told),
            [=](const Bed& bed) { return refuse(bed, status, word, {}, count); }};
}

TEST_CASE("fault matrix: Google") {
    auto rows =
        wire_faults({.seconds = "ok ok ok ok ok",
                     .date = "ok ok ok ok ok",
                     .always = "rate_limited rate_limited rate_limited rate_limited rate_limited",
                     .server = "unavailable unavailable unavailable unavailable unavailable",
                     .stall_connect = "timeout timeout timeout timeout timeout",
                     .stall_body = "ok ok timeout ok timeout",
                     .truncated = "ok ok invalid_response ok invalid_response",
                     .html = "invalid_response invalid_response invalid_response invalid_response "
                             "invalid_response",
                     .tls = "unavailable unavailable unavailable unavailable unavailable",
                     .lost_reply = "ok ok unavailable ok unavailable"});
    rows.push_back(
        status_fault(403, "rateLimitExceeded",
                     "rate_limited rate_limited rate_limited rate_limited rate_limited"));
    rows.push_back(
        status_fault(403, "forbidden", "forbidden forbidden forbidden forbidden forbidden"));
    rows.push_back(status_fault(401, "authError", "ok ok ok ok ok", 1));
    rows.push_back(
        status_fault(404, "notFound", "cursor_expired not_found not_found ok not_found"));
    rows.push_back(status_fault(409, "conflict", "conflict conflict conflict conflict conflict"));
    rows.push_back(status_fault(410, "fullSyncRequired", "cursor_expired - - - -"));
    rows.push_back(status_fault(410, "deleted", "- - not_found ok -"));
    rows.push_back(status_fault(412, "conditionNotMet", "- - conflict conflict -"));
    check_matrix(make_google_bed, rows);
}

TEST_CASE("fault matrix: Outlook") {
    auto rows =
        wire_faults({.seconds = "ok ok ok ok ok",
                     .date = "ok ok ok ok ok",
                     .always = "rate_limited rate_limited rate_limited rate_limited rate_limited",
                     .server = "unavailable unavailable unavailable unavailable unavailable",
                     .stall_connect = "timeout timeout timeout timeout timeout",
                     .stall_body = "ok timeout timeout ok timeout",
                     .truncated = "ok invalid_response invalid_response ok invalid_response",
                     .html = "invalid_response invalid_response invalid_response invalid_response "
                             "invalid_response",
                     .tls = "unavailable unavailable unavailable unavailable unavailable",
                     .lost_reply = "ok unavailable unavailable ok unavailable"});
    rows.push_back(
        status_fault(509, "ErrorBandwidthExceeded",
                     "rate_limited rate_limited rate_limited rate_limited rate_limited"));
    rows.push_back(status_fault(403, "ErrorAccessDenied",
                                "forbidden forbidden forbidden forbidden forbidden"));
    rows.push_back(status_fault(401, "InvalidAuthenticationToken", "ok ok ok ok ok", 1));
    rows.push_back(
        status_fault(404, "ErrorItemNotFound", "cursor_expired not_found not_found ok not_found"));
    rows.push_back(status_fault(409, "ErrorIrresolvableConflict", "- - conflict conflict -"));
    rows.push_back(status_fault(410, "SyncStateNotFound", "cursor_expired - - - -"));
    rows.push_back(status_fault(412, "ErrorIrresolvableConflict", "- - conflict conflict -"));
    check_matrix(make_outlook_bed, rows);
}

TEST_CASE("fault matrix: CalDAV") {
    auto rows = wire_faults(
        {.seconds = "ok ok ok ok -",
         .date = "ok ok ok ok -",
         .always = "rate_limited rate_limited rate_limited rate_limited -",
         .server = "cursor_expired unavailable unavailable unavailable -",
         .stall_connect = "timeout timeout timeout timeout -",
         .stall_body = "ok ok ok ok -",
         .truncated = "ok ok ok ok -",
         .html = "invalid_response invalid_response invalid_response invalid_response -",
         .tls = "unavailable unavailable unavailable unavailable -",
         .lost_reply = "ok ok ok ok -"});
    rows.push_back(status_fault(401, "", "needs_reauth needs_reauth needs_reauth needs_reauth -"));
    rows.push_back(status_fault(403, "", "cursor_expired forbidden forbidden forbidden -"));
    rows.push_back(status_fault(403, "valid-sync-token", "cursor_expired - - - -"));
    rows.push_back(status_fault(404, "", "cursor_expired not_found not_found ok -"));
    rows.push_back(status_fault(409, "", "- invalid invalid invalid -"));
    rows.push_back(status_fault(410, "", "- - not_found ok -"));
    rows.push_back(status_fault(412, "", "- already_exists conflict conflict -"));
    check_matrix(make_caldav_bed, rows);
}

}  // namespace
