#include "accounts/hasher.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

using namespace calhost;
using namespace std::chrono_literals;
using accounts::Hasher;

namespace {

/// Runs a coroutine to its end on a context of its own.
template <class T>
T wait(boost::asio::io_context& context, Task<T> task) {
    std::optional<T> value;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T result) {
        if (thrown) std::rethrow_exception(thrown);
        value.emplace(std::move(result));
    });
    context.restart();
    context.run();
    return std::move(*value);
}

/// Counts the answers that came back, and on which thread.
struct Answers {
    int right = 0, refused = 0, elsewhere = 0;
    std::thread::id home = std::this_thread::get_id();
};

Task<> ask(Hasher& hasher, Answers& answers) {
    const auto hash = co_await hasher.hash(Secret("violet-kettle-anchor"));
    if (std::this_thread::get_id() != answers.home) ++answers.elsewhere;
    if (hash) {
        ++answers.right;
    } else if (hash.error().code == ErrorCode::rate_limited && hash.error().retry_after == 1s) {
        ++answers.refused;
    }
}

void check_contract(Hasher& hasher) {
    boost::asio::io_context context;
    const auto hash = wait(context, hasher.hash(Secret("violet-kettle-anchor")));
    REQUIRE(hash);
    CHECK(hash->starts_with("$argon2id$"));
    CHECK(*wait(context, hasher.verify(*hash, Secret("violet-kettle-anchor"))));
    CHECK(!*wait(context, hasher.verify(*hash, Secret("violet-kettle-ancho"))));
    CHECK(!*wait(context, hasher.verify("", Secret("violet-kettle-anchor"))));
    CHECK(!*wait(context, hasher.verify("", Secret("nobody signs in with this"))));
    CHECK(!*wait(context, hasher.verify("not a hash", Secret("violet-kettle-anchor"))));
    hasher.close();
}

}  // namespace

TEST_CASE("hasher: right, wrong, empty and damaged, on threads and inline") {
    check_contract(*accounts::make_thread_hasher());
    check_contract(*accounts::make_inline_hasher());
}

TEST_CASE("hasher: answers come back on the caller's thread, and those over the queue at once") {
    boost::asio::io_context context;
    const auto hasher = accounts::make_thread_hasher(1, 2);
    Answers answers;
    for (int i = 0; i < 8; ++i)
        boost::asio::co_spawn(context, ask(*hasher, answers), boost::asio::detached);
    context.run();
    // One runs and two wait; more only got in if the first ended before the last asked.
    CHECK(answers.right >= 3);
    CHECK(answers.right + answers.refused == 8);
    CHECK(answers.refused >= 1);
    CHECK(answers.elsewhere == 0);
    Answers later;
    boost::asio::co_spawn(context, ask(*hasher, later), boost::asio::detached);
    context.restart();
    context.run();
    CHECK(later.right == 1);
    hasher->close();
}

TEST_CASE("hasher: after `close`, who asks is told that the host stops") {
    boost::asio::io_context context;
    const auto hasher = accounts::make_thread_hasher();
    hasher->close();
    const auto refused = wait(context, hasher->hash(Secret("violet-kettle-anchor")));
    REQUIRE(!refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
}
