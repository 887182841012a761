// libcurl stays in this file.
#include <curl/curl.h>
#include <fmt/format.h>

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstring>

#include "net/mail.h"

namespace calhost::net {
namespace {

constexpr int kThreads = 2;
constexpr int kMostWaiting = 1000;

struct Closer {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, Closer>;
using List = std::unique_ptr<curl_slist, Closer>;

std::size_t read_message(char* into, std::size_t size, std::size_t count, void* from) {
    auto& rest = *static_cast<std::string_view*>(from);
    const auto taken = std::min(size * count, rest.size());
    std::memcpy(into, rest.data(), taken);
    rest.remove_prefix(taken);
    return taken;
}

/// Asked about once a second, and whenever something moves.
int is_cut(void* closed, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<std::atomic<bool>*>(closed)->load() ? 1 : 0;
}

std::string_view host_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return url.substr(0, url.find('/'));
}

bool is_loopback(std::string_view host) {
    const auto name = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
    return name == "localhost" || name == "[::1]" ||
           (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

Error error_of(CURLcode code, long status, std::string_view host) {
    const auto error = [&](ErrorCode word, std::string_view what) {
        return Error{word, fmt::format("The mail server {} {}.", host, what)};
    };
    const auto answered = [&](std::string_view what) {
        return fmt::format("{} ({})", what, status);
    };
    if (status >= 400 && status < 500)
        return error(ErrorCode::unavailable, answered("cannot take the message now"));
    if (code == CURLE_LOGIN_DENIED || status == 530 || status == 534 || status == 535)
        return error(ErrorCode::misconfigured, "refuses mail.username and mail.password");
    if (status >= 500)
        return error(ErrorCode::invalid, answered("refuses the message or its recipient"));
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return error(ErrorCode::timeout, "did not take the message in time");
        case CURLE_ABORTED_BY_CALLBACK:
            return error(ErrorCode::unavailable, "was left, because the host is shutting down");
        case CURLE_USE_SSL_FAILED:
            return error(ErrorCode::misconfigured,
                         "offers no STARTTLS, and the password does not go out without it");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
            return error(ErrorCode::misconfigured, "has a certificate that is not good");
        default:
            return error(ErrorCode::unavailable,
                         fmt::format("cannot be reached: {}", curl_easy_strerror(code)));
    }
}

class SmtpMailer final : public Mailer {
  public:
    SmtpMailer(MailServer server, const Clock& clock)
        : server_(std::move(server)), clock_(clock), pool_(kThreads) {
        curl_global_init(CURL_GLOBAL_DEFAULT);  // safe from several threads since 7.84
    }
    ~SmtpMailer() override {
        close();
        curl_global_cleanup();
    }

    void close() override {
        is_closed_ = true;
        pool_.join();
    }

    Task<Result<void>> send(Mail mail) override {
        auto message = write_mail(mail, server_.from, clock_.now());
        if (!message) co_return fail(std::move(message.error()));
        if (is_closed_) co_return fail(ErrorCode::unavailable, "The host is shutting down.");
        if (waiting_.fetch_add(1) >= kMostWaiting) {
            waiting_.fetch_sub(1);
            co_return fail(Error{ErrorCode::rate_limited, "Too many mails wait to be sent.",
                                 std::chrono::seconds{60}});
        }
        co_return co_await boost::asio::async_initiate<decltype(use_task), void(Result<void>)>(
            [this](auto handler, std::string to, std::string text) {
                this->post_message(std::move(handler), std::move(to), std::move(text));
            },
            use_task, std::move(mail.to.email), std::move(*message));
    }

  private:
    template <class Handler>
    void post_message(Handler handler, std::string to, std::string text) {
        const auto executor = boost::asio::get_associated_executor(handler);
        boost::asio::post(pool_, [this, executor, handler = std::move(handler), to = std::move(to),
                                  text = std::move(text),
                                  guard = boost::asio::make_work_guard(executor)]() mutable {
            Result<void> result = deliver(to, text);
            waiting_.fetch_sub(1);
            boost::asio::post(executor,
                              [handler = std::move(handler), result = std::move(result)]() mutable {
                                  handler(std::move(result));
                              });
        });
    }

    /// Blocks its thread.
    Result<void> deliver(const std::string& to, std::string_view text) {
        if (is_closed_) return fail(ErrorCode::unavailable, "The host is shutting down.");
        const Handle handle(curl_easy_init());
        const List recipients(curl_slist_append(nullptr, fmt::format("<{}>", to).c_str()));
        if (!handle || !recipients) return fail(ErrorCode::unavailable, "There is no memory left.");
        CURL* const curl = handle.get();
        set_server(curl);
        const auto from = fmt::format("<{}>", server_.from.email);
        curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
        curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
        curl_easy_setopt(curl, CURLOPT_READDATA, &text);
        const CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK) return {};
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        return fail(error_of(code, status, host_of(server_.url)));
    }

    void set_server(CURL* curl) {
        const bool has_password = !server_.username.empty();
        const bool needs_tls = has_password && !is_loopback(host_of(server_.url));
        curl_easy_setopt(curl, CURLOPT_URL, server_.url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(server_.timeout.count()));
        // Else curl says QUIT to a server that hangs, and waits two minutes for its answer.
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
        const auto patience = std::chrono::ceil<std::chrono::seconds>(server_.timeout);
        curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                         static_cast<long>(patience.count()));
        curl_easy_setopt(curl, CURLOPT_USE_SSL,
                         static_cast<long>(needs_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!server_.authorities.empty())
            curl_easy_setopt(curl, CURLOPT_CAINFO, server_.authorities.c_str());
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_cut);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &is_closed_);
        if (!has_password) return;
        const std::string password(server_.password.expose());
        curl_easy_setopt(curl, CURLOPT_USERNAME, server_.username.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
    }

    MailServer server_;
    const Clock& clock_;
    std::atomic<int> waiting_{0};
    std::atomic<bool> is_closed_{false};
    boost::asio::thread_pool pool_;
};

}  // namespace

std::unique_ptr<Mailer> make_smtp_mailer(MailServer server, const Clock& clock) {
    return std::make_unique<SmtpMailer>(std::move(server), clock);
}

}  // namespace calhost::net
