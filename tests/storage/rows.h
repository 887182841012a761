/// Rows to set a scene with: each is complete, a test changes what it is about.
#pragma once

#include "storage/connections.h"
#include "storage/users.h"
#include "support/test_store.h"

namespace calhost::test {

using namespace std::chrono_literals;

/// 2026-11-20T09:00:00Z, where VirtualTime begins.
inline constexpr Timestamp kNow = from_millis(1'795'165'200'000);

inline storage::User make_user(std::string id, std::string email) {
    return {.id = std::move(id),
            .email = std::move(email),
            .is_email_verified = true,
            .name = "Some Body",
            .role = "mentor",
            .time_zone = "Europe/Berlin",
            .password_hash = "$argon2id$x",
            .created_at = kNow};
}

inline storage::Connection make_connection(std::string id, std::string user_id) {
    return {.id = std::move(id),
            .user_id = std::move(user_id),
            .provider = "google",
            .account = "primary",
            .external_id = "g-1",
            .email = "ann@gmail.example",
            .scopes = "calendar openid",
            .sealed_access_token = "v1:k1:aa:bb:cc",
            .sealed_refresh_token = "v1:k1:dd:ee:ff",
            .token_expires_at = kNow + 1h,
            .connected_at = kNow,
            .updated_at = kNow};
}

/// An inline store on virtual time with the users "ann" and "bob"; ann has the connection "c1".
class Scene {
  public:
    Scene() {
        write([](storage::Sql& sql) -> Result<void> {
            must(storage::insert_user(sql, make_user("ann", "ann@example.com")));
            must(storage::insert_user(sql, make_user("bob", "bob@example.com")));
            must(storage::store_grant(sql, make_connection("c1", "ann")));
            return {};
        });
    }

    /// One write; gives what the work gave, and fails the test when it failed.
    template <class Work, class Outcome = std::invoke_result_t<Work, storage::Sql&>>
    typename Outcome::value_type write(Work work) {
        return must(try_write(std::move(work)));
    }
    template <class Work, class Outcome = std::invoke_result_t<Work, storage::Sql&>>
    Outcome try_write(Work work) {
        using Value = typename Outcome::value_type;
        if constexpr (std::is_void_v<Value>) {
            return time.wait(store.database().write(std::move(work)));
        } else {
            std::function<Result<Value>(storage::Sql&)> typed = std::move(work);
            return time.wait(store.database().write_for<Value>(std::move(typed)));
        }
    }
    storage::Sql& reader() { return store.database().reader(); }
    std::int64_t count(std::string_view sql) {
        std::int64_t number = -1;
        must(reader().query(sql, {}, [&](const storage::Row& row) { number = row.integer(0); }));
        return number;
    }

    boost::asio::io_context context;
    VirtualTime time{context};
    TestStore store{time};
};

}  // namespace calhost::test
