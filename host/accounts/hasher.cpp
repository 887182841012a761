#include "accounts/hasher.h"

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <exception>
#include <functional>

#include "crypto/password.h"

namespace calhost::accounts {
namespace {

/// Stands in for the hash of a user who has none, so that looking costs the same.
const std::string& dummy_hash() {
    static const std::string hash = crypto::hash_password(Secret("nobody signs in with this"));
    return hash;
}

bool check_password(const std::string& hash, const Secret& password) {
    const bool is_right = crypto::verify_password(hash.empty() ? dummy_hash() : hash, password);
    return is_right && !hash.empty();
}

template <class T>
Result<T> guarded(const std::function<T()>& work) {
    try {
        return work();
    } catch (const std::exception& problem) {
        return fail(ErrorCode::unavailable,
                    std::string("The password could not be hashed: ") + problem.what() + ".");
    }
}

class ThreadHasher final : public Hasher {
  public:
    ThreadHasher(int threads, int queue)
        : limit_(threads + queue), pool_(static_cast<std::size_t>(threads)) {
        dummy_hash();
    }
    ~ThreadHasher() override { pool_.join(); }

    void close() override {
        is_closed_ = true;
        pool_.join();
    }

    Task<Result<std::string>> hash(Secret password) override {
        return run<std::string>(
            [password = std::move(password)] { return crypto::hash_password(password); });
    }
    Task<Result<bool>> verify(std::string hash, Secret password) override {
        return run<bool>([hash = std::move(hash), password = std::move(password)] {
            return check_password(hash, password);
        });
    }

  private:
    template <class T>
    Task<Result<T>> run(std::function<T()> work) {
        if (is_closed_) co_return fail(ErrorCode::unavailable, "The host is shutting down.");
        if (pending_.fetch_add(1) >= limit_) {
            pending_.fetch_sub(1);
            co_return fail(Error{ErrorCode::rate_limited,
                                 "Too many people are signing in at once. Try again in a second.",
                                 std::chrono::seconds{1}});
        }
        co_return co_await boost::asio::async_initiate<decltype(use_task), void(Result<T>)>(
            [this](auto handler, std::function<T()> job) {
                this->template post_job<T>(std::move(handler), std::move(job));
            },
            use_task, std::move(work));
    }

    template <class T, class Handler>
    void post_job(Handler handler, std::function<T()> job) {
        const auto executor = boost::asio::get_associated_executor(handler);
        boost::asio::post(
            pool_, [this, executor, job = std::move(job), handler = std::move(handler),
                    guard = boost::asio::make_work_guard(executor)]() mutable {
                Result<T> result = guarded(job);
                pending_.fetch_sub(1);
                boost::asio::post(
                    executor, [handler = std::move(handler), result = std::move(result)]() mutable {
                        handler(std::move(result));
                    });
            });
    }

    int limit_;
    std::atomic<int> pending_{0};
    std::atomic<bool> is_closed_{false};
    boost::asio::thread_pool pool_;
};

class InlineHasher final : public Hasher {
  public:
    InlineHasher() { dummy_hash(); }

    Task<Result<std::string>> hash(Secret password) override {
        co_return crypto::hash_password(password);
    }
    Task<Result<bool>> verify(std::string hash, Secret password) override {
        co_return check_password(hash, password);
    }
    void close() override {}
};

}  // namespace

std::unique_ptr<Hasher> make_thread_hasher(int threads, int queue) {
    return std::make_unique<ThreadHasher>(threads, queue);
}

std::unique_ptr<Hasher> make_inline_hasher() { return std::make_unique<InlineHasher>(); }

}  // namespace calhost::accounts
