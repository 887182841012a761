/// A whole host with everybody who could call it: a user, an administrator, an application.
#pragma once

#include "accounts/keys.h"
#include "storage/applications.h"
#include "support/scene.h"

namespace calhost::test {

class Callers {
  public:
    Callers() {
        person = host.sign_up("ada@example.org");
        admin = host.sign_up("root@example.org");
        person_id = TestHost::text(host.call("GET", "/auth/me", person), "id");
        admin_id = TestHost::text(host.call("GET", "/auth/me", admin), "id");
        write([&](storage::Sql& sql) -> Result<void> {
            must(storage::change_user(sql, admin_id, {.role = "admin"}));
            return storage::insert_application(
                sql, {.id = "app", .name = "shop", .created_at = host.time.now()});
        });
    }

    void write(storage::Write work) {
        must(host.time.wait(host.worker().database().write(std::move(work))));
        host.time.run();
    }
    net::Headers key(storage::ApiKey row) {
        const auto made = accounts::make_key(std::move(row), host.time.now(), host.random);
        write([&](storage::Sql& sql) { return storage::insert_api_key(sql, made.row); });
        last_key_id = made.row.id;
        return {{"Authorization", "Bearer " + std::string(made.secret.expose())}};
    }
    net::Headers key_of_application(std::vector<std::string> scopes,
                                    std::vector<std::string> providers = {}) {
        return key({.application_id = "app",
                    .scopes = std::move(scopes),
                    .providers = std::move(providers)});
    }
    net::Headers key_of(const std::string& user_id, std::vector<std::string> scopes) {
        return key({.user_id = user_id, .scopes = std::move(scopes)});
    }
    /// The same caller with an Idempotency-Key.
    static net::Headers once(net::Headers who, std::string key) {
        who.set("Idempotency-Key", std::move(key));
        return who;
    }
    net::Response send(const std::string& method, const std::string& target,
                       const net::Headers& who, const json::value& body = nullptr) {
        return host.call(method, target, who, body.is_null() ? "" : json::serialize(body));
    }
    std::int64_t count(std::string_view sql) {
        std::int64_t number = -1;
        must(host.sql().query(sql, {}, [&](const storage::Row& row) { number = row.integer(0); }));
        return number;
    }

    TestHost host{{.runs_jobs = false}};
    net::Headers person, admin;
    std::string person_id, admin_id, last_key_id;
};

}  // namespace calhost::test
