/// Two people with calendars, and an application that books them.
#pragma once

#include "accounts/keys.h"
#include "storage/applications.h"
#include "storage/booking_events.h"
#include "storage/bookings.h"
#include "support/scene.h"

namespace calhost::test {

class Office {
  public:
    explicit Office(TestHostOptions options = {}) : host(std::move(options)) {
        add_application("shop");
        key = add_key("shop");
        ada = host.sign_up("ada@example.org", "mentor");
        bob = host.sign_up("bob@example.org", "mentee");
        ada_id = TestHost::text(host.call("GET", "/auth/me", ada), "id");
        bob_id = TestHost::text(host.call("GET", "/auth/me", bob), "id");
    }
    /// Both connect their Google calendars.
    void connect() {
        host.connect(ada, kAda);
        host.connect(bob, kBob);
        rest();
    }

    void write(storage::Write work) {
        must(host.time.wait(host.worker().database().write(std::move(work))));
    }
    void add_application(const std::string& id) {
        write([&](storage::Sql& sql) {
            return storage::insert_application(
                sql, {.id = id, .name = id, .created_at = host.time.now()});
        });
    }
    net::Headers add_key(const std::string& application) {
        const auto made = accounts::make_key(
            {.application_id = application, .scopes = {"bookings:read", "bookings:write"}},
            host.time.now(), host.random);
        write([&](storage::Sql& sql) { return storage::insert_api_key(sql, made.row); });
        return {{"Authorization", "Bearer " + std::string(made.secret.expose())},
                {"Content-Type", "application/json"}};
    }

    /// A confirmed lesson of bob (client) with ada (tutor) tomorrow at ten; `changes` over it.
    [[nodiscard]] json::object lesson(const json::object& changes = {}) const {
        json::object booking{{"title", "Algebra"},
                             {"status", "confirmed"},
                             {"start_time", "2026-11-21T10:00:00Z"},
                             {"end_time", "2026-11-21T11:00:00Z"},
                             {"time_zone", "Europe/Berlin"},
                             {"client", {{"user_id", bob_id}, {"name", "Bob"}}},
                             {"tutor", {{"user_id", ada_id}, {"name", "Ada"}}}};
        for (const auto& [name, value] : changes) booking[name] = value;
        return booking;
    }
    net::Response put(const json::object& booking, const std::string& id = "b1") {
        return host.call("PUT", "/api/bookings/" + percent_encode(id), key,
                         json::serialize(booking));
    }
    /// Sends it and lets everything that follows happen.
    net::Response book(const json::object& booking, const std::string& id = "b1") {
        auto answer = put(booking, id);
        rest();
        return answer;
    }
    /// Short enough that people's tokens live on.
    void rest(milliseconds time = std::chrono::minutes{5}) { host.time.advance(time); }
    void sign_in_again() {
        ada = host.sign_in("ada@example.org");
        bob = host.sign_in("bob@example.org");
    }

    /// "client bob synced, tutor ada synced": the states that the application reads.
    std::string states(const std::string& id = "b1") {
        const auto body = TestHost::body(host.call("GET", "/api/bookings/" + id, key));
        std::string text;
        for (const auto& state : body.at("sync").as_array())
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", json::text_of(state, "role"),
                                json::text_of(state, "state"));
        return text;
    }
    /// The event as the person's calendar shows it, or null.
    json::value event_of(const std::string& user_id, const std::string& account,
                         std::string_view booking = "b1") {
        const auto id = text_in_store(
            host, fmt::format("SELECT e.external_id FROM booking_events e JOIN bookings b "
                              "ON b.number = e.booking WHERE e.user_id = '{}' AND b.id = '{}'",
                              user_id, booking));
        if (id.empty()) return nullptr;
        return control(host, "GET", "/accounts/" + account + "/events/" + id);
    }
    json::value ada_sees(std::string_view booking = "b1") {
        return event_of(ada_id, kAda, booking);
    }
    json::value bob_sees(std::string_view booking = "b1") {
        return event_of(bob_id, kBob, booking);
    }
    /// Events of that account's calendar that are there, whatever the host believes.
    std::int64_t live(const std::string& account) {
        std::int64_t count = 0;
        const auto ledger = control(host, "GET", "/ledger");
        for (const auto& effect : ledger.at("effects").as_array())
            if (json::text_of(effect, "account") == account &&
                json::text_of(effect, "method").starts_with("events."))
                count = effect.at("live").to_number<std::int64_t>();
        return count;
    }

    TestHost host;
    net::Headers key, ada, bob;
    std::string ada_id, bob_id;
};

}  // namespace calhost::test
