#include "storage/expired.h"

#include <doctest/doctest.h>

#include "storage/plugin_store.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;
using namespace std::chrono_literals;

TEST_CASE("expired: what is over goes, what is not stays") {
    test::Scene scene;
    scene.write([](Sql& sql) -> Result<void> {
        must(put_plugin_value(sql, "p", "over", "v", kNow, kNow - 1h));
        must(put_plugin_value(sql, "p", "later", "v", kNow + 1ms, kNow - 1h));
        must(put_plugin_value(sql, "p", "for ever", "v", {}, kNow - 1h));
        for (const auto& [key, when] : {std::pair{"over", kNow}, {"later", kNow + 1ms}})
            must(
                sql.execute("INSERT INTO idempotency_keys (id, fence, is_done, sealed_call, "
                            "expires_at) VALUES ($1, '', 1, '', $2)",
                            {key, when}));
        return {};
    });
    CHECK(scene.write([](Sql& sql) { return delete_expired(sql, kNow); }) == 2);
    CHECK(scene.count("SELECT count(*) FROM plugin_store") == 2);
    CHECK(scene.count("SELECT count(*) FROM idempotency_keys WHERE id = 'later'") == 1);
    CHECK(scene.write([](Sql& sql) { return delete_expired(sql, kNow); }) == 0);
}
