// Idempotency-Key: what runs once, what is told again, what is never kept.
#include "api/callers.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

int runs = 0;
int answer_status = 200;
std::string answer_header;

Task<net::Response> count_up(api::Context& /*context*/, net::Request& request,
                             accounts::Principal /*principal*/) {
    ++runs;
    auto response = net::Response::json(answer_status, {{"run", runs}, {"sent", request.body}});
    if (!answer_header.empty()) response.headers.set(answer_header, "no-store");
    co_return response;
}

/// A call that counts how often it ran.
class Counter : public Callers {
  public:
    Counter() {
        open();
        runs = 0;
        answer_status = 200;
        answer_header.clear();
    }
    void open() {
        auto& context = host.worker().context();
        for (const std::string method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
            for (const std::string path : {"/count", "/count/{id}"})
                host.worker().router().add(
                    {method, path, api::for_anyone_known(context, "bookings:write", count_up), {}});
    }
    net::Response post(const net::Headers& who, const std::string& body = "{}",
                       const std::string& target = "/count", const std::string& method = "POST") {
        return host.call(method, target, who, body);
    }
};

TEST_CASE("idempotency: a call that is sent again is answered again and not done again") {
    for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
        CAPTURE(method);
        Counter counter;
        answer_status = 201;
        const auto who = Counter::once(counter.person, "k1");
        const auto first = counter.post(who, "{\"a\":1}", "/count", method);
        const auto second = counter.post(who, "{\"a\":1}", "/count", method);
        CHECK(runs == 1);
        CHECK(first.status == 201);
        CHECK(second.status == 201);
        CHECK(second.body == first.body);
        CHECK(second.headers.get("Content-Type") == first.headers.get("Content-Type"));
        CHECK_FALSE(first.headers.has("Idempotent-Replayed"));
        CHECK(second.headers.get("Idempotent-Replayed") == "true");
    }
}

TEST_CASE("idempotency: the key is one of caller, method and path") {
    Counter counter;
    const auto other = counter.host.sign_up("bob@example.org");
    const auto application = counter.key_of_application({"bookings:write"});
    counter.post(Counter::once(counter.person, "k1"));
    counter.post(Counter::once(other, "k1"));
    counter.post(Counter::once(application, "k1"));
    counter.post(Counter::once(counter.person, "k2"));
    counter.post(Counter::once(counter.person, "k1"), "{}", "/count/7");
    counter.post(Counter::once(counter.person, "k1"), "{}", "/count", "PUT");
    CHECK(runs == 6);
    counter.post(Counter::once(counter.key_of(counter.person_id, {"user"}), "k1"));
    CHECK(runs == 6);  // the same person
}

TEST_CASE("idempotency: without a key, and for what is safe, nothing is remembered") {
    Counter counter;
    counter.post(counter.person);
    counter.post(counter.person);
    counter.post(Counter::once(counter.person, "k1"), "", "/count", "GET");
    counter.post(Counter::once(counter.person, "k1"), "", "/count", "GET");
    CHECK(runs == 4);
    CHECK(counter.count("SELECT count(*) FROM idempotency_keys") == 0);
}

TEST_CASE("idempotency: another body or query is refused, and the first answer stays") {
    Counter counter;
    const auto who = Counter::once(counter.person, "k1");
    const auto first = counter.post(who, "{\"a\":1}");
    CHECK(word_of(counter.post(who, "{\"a\":2}")) == "422 idempotency_key_reused");
    CHECK(word_of(counter.post(who, "{\"a\":1}", "/count?x=1")) == "422 idempotency_key_reused");
    CHECK(counter.post(who, "{\"a\":1}").body == first.body);
    CHECK(runs == 1);
}

TEST_CASE("idempotency: a key that is none is 422") {
    Counter counter;
    for (const std::string& key : {std::string(256, 'x'), std::string("a b"), std::string("ü"),
                                   std::string("a\x7f"), std::string(" ")}) {
        CAPTURE(key);
        CHECK(word_of(counter.post(Counter::once(counter.person, key))) == "422 invalid");
    }
    CHECK(runs == 0);
    CHECK(counter.post(Counter::once(counter.person, std::string(255, '~'))).status == 200);
}

TEST_CASE("idempotency: what refused or failed is tried anew") {
    for (const int status : {400, 403, 404, 409, 422, 429, 500, 502, 503}) {
        CAPTURE(status);
        Counter counter;
        const auto who = Counter::once(counter.person, "k1");
        answer_status = status;
        CHECK(counter.post(who).status == status);
        answer_status = 200;
        CHECK(counter.post(who, "{\"mended\":true}").status == 200);
        CHECK(runs == 2);
    }
}

TEST_CASE("idempotency: an answer with a secret is never stored") {
    for (const std::string header : {"Cache-Control", "Set-Cookie"}) {
        CAPTURE(header);
        Counter counter;
        answer_header = header;
        const auto who = Counter::once(counter.person, "k1");
        counter.post(who);
        counter.post(who);
        CHECK(runs == 2);  // nothing new was made: it runs again
        CHECK(counter.count("SELECT count(*) FROM idempotency_keys") == 0);
        answer_status = 201;
        counter.post(who);
        CHECK(runs == 3);
        CHECK(word_of(counter.post(who)) == "409 idempotency_answer_not_kept");
        CHECK(runs == 3);
    }
}

TEST_CASE("idempotency: a day later the key is new, and a minute before it is not") {
    Counter counter;
    const auto run = [&](const std::string& key) {
        // The token of the person would have expired.
        const auto who = Counter::once(counter.host.sign_in("ada@example.org"), key);
        counter.post(who);
    };
    run("k1");
    counter.host.time.advance(24h - 1min);
    run("k1");
    CHECK(runs == 1);
    counter.host.time.advance(1min);
    run("k1");
    CHECK(runs == 2);
}

TEST_CASE("idempotency: answers are sealed for their row, and a moved one is not told") {
    Counter counter;
    const auto canary = std::string("canary-8f1d");
    counter.post(Counter::once(counter.person, "k1"), canary);
    counter.post(Counter::once(counter.admin, "k1"), canary);
    CHECK(counter.count("SELECT count(*) FROM idempotency_keys WHERE is_done = 1 AND "
                        "sealed_call LIKE 'v1:k1:%'") == 2);
    counter.write([](storage::Sql& sql) -> Result<void> {
        must(
            sql.execute("UPDATE idempotency_keys SET sealed_call = (SELECT sealed_call FROM "
                        "idempotency_keys ORDER BY id LIMIT 1)"));
        return {};
    });
    const auto words = word_of(counter.post(Counter::once(counter.person, "k1"), canary)) + " " +
                       word_of(counter.post(Counter::once(counter.admin, "k1"), canary));
    CHECK(words.contains("409 idempotency_answer_not_kept"));
    CHECK(runs == 2);
}

TEST_CASE("idempotency: while a call runs its twin waits, and a crash in the middle frees it") {
    for (const std::string point : {"idempotency.claimed", "idempotency.answered"}) {
        CAPTURE(point);
        Counter counter;
        auto& host = counter.host;
        const auto who = Counter::once(counter.person, "k1");
        host.crash_points.should_crash = [&](std::string_view name) { return name == point; };
        boost::asio::co_spawn(host.time.executor(), host.handle("POST", "/count", who, "{}"),
                              boost::asio::detached);
        host.time.run();
        REQUIRE(host.crash_points.is_crashed);
        host.crash_points.should_crash = nullptr;
        const auto twin = counter.post(who);
        CHECK(word_of(twin) == "409 idempotency_key_in_use");
        CHECK(twin.headers.get("Retry-After") == "1");
        CHECK(word_of(counter.post(who, "other")) == "422 idempotency_key_reused");
        const int before = runs;
        host.crash_and_restart();
        counter.open();
        CHECK(counter.post(who).status == 200);
        CHECK(runs == before + 1);
        CHECK(counter.post(who).headers.get("Idempotent-Replayed") == "true");
    }
}

TEST_CASE("idempotency: a call whose lease ended may run again, and only one answer is stored") {
    Counter counter;
    auto& host = counter.host;
    const auto who = Counter::once(counter.person, "k1");
    host.crash_points.should_crash = [](std::string_view name) {
        return name == "idempotency.claimed";
    };
    boost::asio::co_spawn(host.time.executor(), host.handle("POST", "/count", who, "{}"),
                          boost::asio::detached);
    host.time.run();
    host.crash_points.should_crash = nullptr;
    host.time.advance(2min);
    const auto answer = counter.post(who);
    CHECK(answer.status == 200);
    CHECK(counter.post(who).body == answer.body);
    CHECK(runs == 1);
}

}  // namespace
