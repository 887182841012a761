// What is left when the process or the disk ends in the middle.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <functional>

#include "storage/plugin_store.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::must;

namespace {

/// A child process that runs `work` with a pipe to tell its parent numbers through.
class Child {
  public:
    explicit Child(const std::function<void(int pipe)>& work) {
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("no pipe");
        pid_ = fork();
        if (pid_ == 0) {
            ::close(ends[0]);
            try {
                work(ends[1]);
            } catch (...) {
                _exit(1);
            }
            _exit(0);
        }
        ::close(ends[1]);
        pipe_ = ends[0];
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        kill_now();
        ::close(pipe_);
    }
    /// The next number, or nothing when the child has ended.
    std::optional<int> next() {
        int number = 0;
        if (read(pipe_, &number, sizeof number) != sizeof number) return std::nullopt;
        return number;
    }
    void kill_now() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        waitpid(std::exchange(pid_, 0), nullptr, 0);
    }

  private:
    pid_t pid_ = 0;
    int pipe_ = -1;
};

void tell(int pipe, int number) {
    if (::write(pipe, &number, sizeof number) != sizeof number) _exit(2);
}

Result<void> put(Sql& sql, int number) {
    return put_plugin_value(sql, "p", std::to_string(number), std::string(2000, 'x'), std::nullopt,
                            test::kNow);
}

/// Writes until it is killed; tells each number once its write is acknowledged.
Task<> write_on(Database& database, int first, int step, int pipe) {
    for (int number = first;; number += step) {
        auto done = co_await database.write([&](Sql& sql) { return put(sql, number); });
        if (!done) _exit(3);
        tell(pipe, number);
    }
}

void write_until_killed(const std::filesystem::path& file, int pipe) {
    constexpr int kWriters = 8;
    auto store = must(Store::open({.file = file}));
    boost::asio::io_context context;
    const auto database = store->database(context.get_executor());
    for (int i = 0; i < kWriters; ++i)
        boost::asio::co_spawn(context, write_on(*database, i, kWriters, pipe),
                              boost::asio::detached);
    context.run();
}

/// Writes until the disk is full (files may grow to 400 kB), then with room again.
void write_until_full(const std::filesystem::path& file, int pipe) {
    signal(SIGXFSZ, SIG_IGN);
    boost::asio::io_context context;
    test::VirtualTime time(context);
    auto store = must(Store::open({.file = file, .is_inline = true}));
    const auto database = store->database(context.get_executor());
    const auto limit_files = [](rlim_t bytes) {
        const rlimit limit{bytes, RLIM_INFINITY};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(4);
    };
    limit_files(800'000);
    for (int number = 0;; ++number) {
        const auto done = time.wait(database->write([&](Sql& sql) { return put(sql, number); }));
        if (done) {
            tell(pipe, number);
            continue;
        }
        tell(pipe, done.error().code == ErrorCode::unavailable ? -1 : -2);
        break;
    }
    limit_files(RLIM_INFINITY);
    const auto healed = time.wait(database->write([&](Sql& sql) { return put(sql, 1'000'000); }));
    tell(pipe, healed ? 1'000'000 : -3);
}

std::vector<int> lost_of(const std::filesystem::path& file, const std::vector<int>& told) {
    auto store = must(Store::open({.file = file, .is_inline = true}));
    boost::asio::io_context context;
    const auto database = store->database(context.get_executor());
    std::vector<int> lost;
    for (const int number : told)
        if (!must(get_plugin_value(database->reader(), "p", std::to_string(number), test::kNow)))
            lost.push_back(number);
    return lost;
}

}  // namespace

TEST_CASE("store: what was acknowledged before a kill -9 is there") {
    for (const std::size_t writes : {1U, 50U, 333U}) {
        test::TempFolder folder;
        const auto file = folder.path() / "s.db";
        std::vector<int> told;
        {
            Child child([&](int pipe) { write_until_killed(file, pipe); });
            while (told.size() < writes) {
                const auto number = child.next();
                REQUIRE(number);
                told.push_back(*number);
            }
            child.kill_now();
            while (const auto number = child.next()) told.push_back(*number);
        }
        CHECK(lost_of(file, told).empty());
    }
}

TEST_CASE("store: a full disk is an error, loses nothing acknowledged, and heals") {
    test::TempFolder folder;
    const auto file = folder.path() / "s.db";
    std::vector<int> told;
    bool has_been_full = false;
    {
        Child child([&](int pipe) { write_until_full(file, pipe); });
        while (const auto number = child.next()) {
            if (*number == -1) {
                has_been_full = true;
            } else {
                REQUIRE(*number >= 0);
                told.push_back(*number);
            }
        }
    }
    CHECK(has_been_full);
    REQUIRE(told.size() > 10);
    CHECK(told.back() == 1'000'000);
    CHECK(lost_of(file, told).empty());
}
