// What providers/outlook writes, against the simulated Graph.
#include "plugin/outlook_box.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("outlook: what was written is read back, and the same key is the same event") {
    Mailbox box;
    auto event = lunch();
    event.description = std::string(8000, 'x') + " Grüße 🎉";
    event.location = "Küche";
    event.url = "https://example.org/b/1";
    event.visibility = "private";
    event.categories = {"Blue", "Team"};
    event.reminders = {{"email", 1440}, {"popup", 60}, {"popup", 15}};
    event.marks = {{"calhost_key", "b1"}, {"rev", "7"}};
    const auto written = box.create(event);
    CHECK(written.lossy.size() == 2);  // a sentence for each reminder that is left out
    const auto read = box.get(written.event.id);
    CHECK(read == written.event);
    CHECK(read.title == event.title);
    CHECK(read.description == event.description);
    CHECK(read.location == event.location);
    CHECK(read.url == event.url);
    CHECK(read.start == event.start);
    CHECK(read.finish == event.finish);
    CHECK(read.visibility == event.visibility);
    CHECK(read.categories == event.categories);
    CHECK(read.reminders == std::vector<calendar::Reminder>{{"popup", 15}});
    CHECK(read.marks == event.marks);
    CHECK(box.pull().events.at(0).marks == event.marks);
    event.url = "";
    event.color = "#ff0000";
    const auto cleared =
        box.wait(box.provider->update_event(box.access, "primary", read.id, event, read.etag));
    CHECK(cleared.event.url.empty());
    CHECK(cleared.lossy.size() == 3);
    CHECK(box.create(event).event.id == read.id);
    CHECK(box.create(event, "key-2").event.id != read.id);
    CHECK(box.list().size() == 2);
}

TEST_CASE(
    "outlook: a create whose reply was lost is found again, also by the id that Graph names") {
    Mailbox box;
    box.bed->control("POST", "/faults", R"({"kind":"lost_reply","method":"POST"})");
    CHECK(box.refused(box.provider->create_event(box.access, "primary", lunch(), "key-1"))
              .starts_with("unavailable"));
    const auto written = box.create(lunch());
    CHECK(box.list().size() == 1);
    CHECK(box.count("POST", "/events") == 1);
    // Where the search does not know the event yet, the transactionId holds.
    box.on_answer = [&](const net::ClientRequest& request, SandboxTransport::Answer& answer) {
        if (request.url.find("CalhostKey") != std::string::npos && request.method == "GET")
            answer->body = R"({"value":[]})";
        if (request.method == "POST" && answer->status == 409) {
            auto body = json::parse(answer->body)->as_object();
            body["error"].as_object()["@event.existingEventId"] = written.event.id;
            answer->body = json::serialize(body);
            answer->status = 400;
        }
    };
    CHECK(box.create(lunch()).event.id == written.event.id);
    CHECK(box.count("POST", "/events") == 2);
    CHECK(box.list().size() == 1);
}

TEST_CASE("outlook: a deleted event comes back with its key") {
    Mailbox box;
    const auto first = box.create(lunch());
    box.wait(box.provider->delete_event(box.access, "primary", first.event.id, ""));
    const auto again = box.create(lunch());
    CHECK(again.event.id != first.event.id);
    CHECK(box.list().size() == 1);
}

TEST_CASE("outlook: an update sends what differs, and an old etag is a conflict") {
    Mailbox box;
    auto event = lunch();
    event.marks = {{"a", "1"}};
    const auto written = box.create(event);
    event.title = "Late lunch";
    event.marks = {{"b", "2"}};
    const auto& id = written.event.id;
    const auto updated =
        box.wait(box.provider->update_event(box.access, "primary", id, event, written.event.etag));
    CHECK(updated.event.title == "Late lunch");
    CHECK(updated.event.marks == std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}});
    const auto& patch = box.requests.back();
    CHECK(patch.method == "PATCH");
    CHECK(patch.headers.get("If-Match") == written.event.etag);
    CHECK(patch.body.find("dateTime") == std::string::npos);
    CHECK(box.refused(
                 box.provider->update_event(box.access, "primary", id, event, written.event.etag))
              .starts_with("conflict"));
    // The same between reading and writing.
    box.on_answer = [&](const net::ClientRequest& request, SandboxTransport::Answer&) {
        if (request.method != "GET") return;
        box.on_answer = nullptr;
        box.graph("PATCH", "/events/" + id, R"({"subject":"Mine"})");
    };
    CHECK(box.refused(
                 box.provider->update_event(box.access, "primary", id, lunch(), updated.event.etag))
              .starts_with("conflict"));
    box.wait(box.provider->update_event(box.access, "primary", id, event, ""));
    CHECK(box.get(id).title == "Late lunch");
    box.requests.clear();
    box.wait(box.provider->update_event(box.access, "primary", id, event, ""));
    CHECK(box.count("PATCH", "") == 0);
    CHECK(box.refused(box.provider->update_event(box.access, "primary", "AAkAeHg=", event, ""))
              .starts_with("not_found"));
}

TEST_CASE("outlook: deleting is conditional, and twice is fine") {
    Mailbox box;
    const auto written = box.create(lunch());
    const auto& id = written.event.id;
    box.graph("PATCH", "/events/" + id, R"({"subject":"Mine"})");
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, written.event.etag))
              .starts_with("conflict"));
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, "")) == "ok");
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, "")) == "ok");
    CHECK(box.list().empty());
}

TEST_CASE("outlook: a series with what it leaves out, what it moves, and what it takes away") {
    Mailbox box;
    auto series = weekly();
    series.recurrence->exdate = {at("2026-12-04T12:00:00")};
    const auto written = box.create(series);
    CHECK(written.event.recurrence->exdate == series.recurrence->exdate);
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-11T12:00:00 2026-12-18T12:00:00");

    auto moved = lunch();
    moved.series_id = written.event.id;
    moved.recurrence_id = at("2026-12-11T12:00:00");
    moved.start = at("2026-12-12T15:00:00");
    moved.finish = at("2026-12-12T16:00:00");
    const auto override = box.create(moved, "o1");
    CHECK(override.event.series_id == written.event.id);
    CHECK(override.event.recurrence_id->instant == moved.recurrence_id->instant);
    CHECK(override.event.start == moved.start);
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00 2026-12-18T12:00:00");

    auto cancelled = lunch();
    cancelled.series_id = written.event.id;
    cancelled.recurrence_id = at("2026-12-18T12:00:00");
    cancelled.status = "cancelled";
    CHECK(box.create(cancelled, "o2").event.status == "cancelled");
    CHECK(box.create(cancelled, "o2").event.status == "cancelled");
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00");

    // Found by its slot wherever it is now.
    moved.start = at("2027-01-20T15:00:00");
    moved.finish = at("2027-01-20T16:00:00");
    CHECK(box.create(moved, "o3").event.id == override.event.id);
    CHECK(box.create(moved, "o3").event.start == moved.start);
    moved.start = at("2026-12-12T15:00:00");
    moved.finish = at("2026-12-12T16:00:00");
    box.create(moved, "o4");
    // A title changes; the rule and the exceptions stay.
    series.recurrence->exdate.push_back(at("2026-12-18T12:00:00"));
    series.title = "Brunch";
    box.wait(box.provider->update_event(box.access, "primary", written.event.id, series, ""));
    CHECK(box.starts() == "2026-11-27T12:00:00 2026-12-12T15:00:00");
    // An occurrence by the host's own name for it.
    box.wait(box.provider->delete_event(
        box.access, "primary", calendar::occurrence_id(written.event.id, at("2026-12-11T12:00:00")),
        ""));
    CHECK(box.starts() == "2026-11-27T12:00:00");
    // Without a rule it is a single event.
    box.wait(box.provider->update_event(box.access, "primary", written.event.id, lunch(), ""));
    CHECK_FALSE(box.get(written.event.id).is_series());
}

TEST_CASE("outlook: guests get no mail: what has some is left as it is") {
    Mailbox box;
    const auto made = box.bed->add(
        "Meeting", "2026-12-10",
        R"(,"attendees":[{"emailAddress":{"address":"guest@example.org","name":"Guest"}}])");
    const std::string id(json::text_of(made, "id"));
    const auto event = box.get(id);
    REQUIRE(event.attendees.size() == 1);
    CHECK(event.attendees[0].email == "guest@example.org");
    CHECK(event.attendees[0].response == "needs_action");
    const auto mails = [&] {
        return json::parse(box.bed->control("GET", "/ledger").body)
            ->at("effects")
            .as_array()
            .size();
    };
    const auto before = mails();
    CHECK(box.refused(box.provider->update_event(box.access, "primary", id, lunch(), ""))
              .starts_with("unsupported: Outlook would write to the event's guests"));
    CHECK(box.refused(box.provider->delete_event(box.access, "primary", id, ""))
              .starts_with("unsupported"));
    auto with_guests = lunch();
    with_guests.attendees = event.attendees;
    CHECK(box.create(with_guests).event.attendees.empty());
    CHECK(mails() == before + 1);  // the creation itself
    with_guests.sets_attendees = true;
    const auto alone = box.create(with_guests);  // the same key: found again
    CHECK(alone.event.attendees.empty());
    CHECK(alone.lossy ==
          std::vector<std::string>{"The guests are left out: Outlook would write to them."});
    CHECK(mails() == before + 1);
    // Taking an occurrence out of their series would tell them, too.
    const auto meetings = box.bed->add(
        "Meetings", "2026-11-27",
        kWeekly + R"(,"attendees":[{"emailAddress":{"address":"guest@example.org"}}])");
    const auto series = box.get(std::string(json::text_of(meetings, "id")));
    auto without_one = series;
    without_one.attendees.clear();
    auto slot = series.start;
    slot.local += 7 * 24h;
    slot.instant += 7 * 24h;
    without_one.recurrence->exdate = {slot};
    const auto told = mails();
    CHECK(box.refused(box.provider->update_event(box.access, "primary", series.id, without_one, ""))
              .starts_with("unsupported"));
    CHECK(mails() == told);
}

}  // namespace
