// Bookings as signed webhooks.
#include "accounts/applications.h"
#include "base/encoding.h"
#include "booking/office.h"
#include "crypto/crypto.h"

using namespace calhost;
using namespace calhost::test;

namespace {

class Sender {
  public:
    explicit Sender(Office& office) : office_(&office) {
        auto& services = office.host.worker().services();
        accounts::Applications applications(services.database, services.keys, services.clock,
                                            services.random);
        secret = must(
            office.host.time.wait(applications.make_webhook_secret("shop", {.name = "operator"})));
    }

    [[nodiscard]] net::Headers sign(const std::string& id, const std::string& body,
                                    std::chrono::seconds late = {}) const {
        const auto when = std::chrono::floor<std::chrono::seconds>(office_->host.time.now()) - late;
        const auto time = std::to_string(when.time_since_epoch().count());
        const auto key = base64_decode(secret.expose().substr(6)).value();
        const auto signature =
            base64_encode(crypto::hmac_sha256(key, id + "." + time + "." + body));
        return {{"webhook-id", id},
                {"webhook-timestamp", time},
                {"webhook-signature", "v1,AAAA v1," + signature}};
    }
    [[nodiscard]] std::string body_of(std::string_view type,
                                      const json::object& changes = {}) const {
        auto booking = office_->lesson(changes);
        booking["id"] = "b1";
        booking.erase("status");
        return json::serialize(json::object{{"type", type}, {"booking", booking}});
    }
    net::Response send(const net::Headers& headers, const std::string& body) {
        auto answer = office_->host.call("POST", "/api/bookings/events", headers, body);
        office_->rest();
        return answer;
    }
    Secret secret;

  private:
    Office* office_;
};

}  // namespace

TEST_CASE("booking webhook: confirmed, rescheduled and cancelled reach both calendars") {
    Office office;
    office.connect();
    Sender sender(office);
    const auto send = [&](const char* id, const char* type, const json::object& changes = {}) {
        const auto body = sender.body_of(type, changes);
        return sender.send(sender.sign(id, body), body).status;
    };
    CHECK(send("m1", "booking.confirmed") == 202);
    CHECK(office.states() == "client synced, tutor synced");
    CHECK(send("m2", "booking.rescheduled",
               {{"start_time", "2026-11-21T14:00:00Z"}, {"end_time", "2026-11-21T15:00:00Z"}}) ==
          202);
    CHECK(json::text_of(office.ada_sees().at("start"), "dateTime") == "2026-11-21T15:00:00+01:00");
    CHECK(send("m3", "booking.cancelled") == 202);
    CHECK(office.live(kAda) == 0);
    CHECK(send("m4", "booking.moved") == 422);
}

TEST_CASE("booking webhook: a secret that cannot be opened keeps no other application out") {
    Office office;
    office.add_application("damaged");  // tried before "shop"
    Sender sender(office);
    change_store(office.host,
                 "UPDATE applications SET sealed_webhook_secret = 'x' WHERE id = 'damaged'");
    const auto body = sender.body_of("booking.confirmed");
    CHECK(sender.send(sender.sign("m1", body), body).status == 202);
    auto forged = sender.sign("m2", body);
    forged.set("webhook-signature", "v1,AAAA");
    CHECK(sender.send(forged, body).status == 500);
}

TEST_CASE("booking webhook: forged, old, altered and repeated messages change nothing") {
    Office office;
    Sender sender(office);
    const auto body = sender.body_of("booking.confirmed");
    const auto status = [&](net::Headers headers, const std::string& text) {
        return sender.send(headers, text).status;
    };
    auto forged = sender.sign("m1", body);
    forged.set("webhook-signature", "v1,AAAA");
    CHECK(status(forged, body) == 401);
    CHECK(status(sender.sign("m1", body, std::chrono::seconds{301}), body) == 401);
    CHECK(status(sender.sign("m1", body, -std::chrono::seconds{302}), body) == 401);
    CHECK(status(sender.sign("m1", body), body + " ") == 401);
    auto renamed = sender.sign("m1", body);
    renamed.set("webhook-id", "m2");
    CHECK(status(renamed, body) == 401);
    for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
        auto without = sender.sign("m1", body);
        without.set(name, "");
        CHECK(status(without, body) == 401);
    }
    CHECK(count_in_store(office.host, "SELECT count(*) FROM bookings") == 0);

    CHECK(status(sender.sign("m1", body), body) == 202);
    CHECK(office.put(office.lesson({{"status", "cancelled"}})).status == 202);
    CHECK(status(sender.sign("m1", body), body) == 202);  // the same message: nothing new
    CHECK(TestHost::text(office.host.call("GET", "/api/bookings/b1", office.key), "status") ==
          "cancelled");
}
