#include "sandbox/google.h"

#include "crypto/crypto.h"
#include "sandbox/calendar_api.h"
#include "sandbox/consent_page.h"
#include "sandbox/oauth.h"
#include "sandbox/parts.h"

namespace calhost::sandbox {
namespace {

/// RFC 9110: the method is known, but not here.
net::Response wrong_method() {
    return to_response({405, "httpMethodNotAllowed", "Method Not Allowed", "global", {}, {}});
}

ApiError error_of(const Fault& fault) {
    std::string reason = fault.reason;
    std::string message = "Sandbox fault";
    std::string domain = "global";
    if (reason.empty()) {
        if (fault.status == 401)
            reason = "authError";
        else if (fault.status == 403 || fault.status == 429)
            reason = "rateLimitExceeded";
        else
            reason = "backendError";
    }
    if (reason.ends_with("LimitExceeded") || reason == "quotaExceeded") {
        domain = "usageLimits";
        message =
            reason == "quotaExceeded" ? "Calendar usage limits exceeded." : "Rate Limit Exceeded";
    } else if (reason == "authError") {
        message = "Invalid Credentials";
    } else if (reason == "backendError") {
        message = "Backend Error";
    }
    return {fault.status, std::move(reason), std::move(message), std::move(domain), {}, {}};
}

class GoogleParts final : public Provider::Parts {
  public:
    GoogleParts(GoogleOptions options, const Clock& clock, Timers& timers, Random& random)
        : Parts(google_, oauth_grants_),
          google_(std::move(options), clock, timers, random),
          oauth_grants_(google_, kGoogleGrants),
          oauth_(google_, oauth_grants_) {}

    Task<net::Response> answer(const net::Request& request) override { co_return route(request); }

    net::Response refusal(const Fault& fault, const net::Request& /*request*/) override {
        return to_response(error_of(fault));
    }

    std::string subject_of(const std::string& email) override {
        std::string digits;
        for (const char c : crypto::sha256(email).substr(0, 21))
            digits += static_cast<char>('1' + static_cast<unsigned char>(c) % 9);
        return digits;
    }
    std::string primary_id_of(const std::string& email) override { return email; }

    bool store(Account& account, Calendar& calendar, const calendar::Event& event, std::string id,
               const std::string& series_id) override {
        return store_neutral(google_, account, calendar, event, std::move(id), series_id);
    }

    net::Response edit_event(Account& account, Calendar& calendar, std::string event_id,
                             const net::Request& request) override {
        Call call{google_, account, request, &calendar, std::move(event_id)};
        auto answer = [&]() -> Answer<net::Response> {
            const bool has_id = !call.event_id.empty();
            if (request.method == "GET" && has_id) return get_event(call);
            if (request.method == "POST" && !has_id) return insert_event(call);
            if (request.method == "PATCH" && has_id) return patch_event(call);
            if (request.method == "DELETE" && has_id) return delete_event(call);
            return refuse_missing();
        }();
        return answer ? std::move(*answer) : to_response(answer.error());
    }

    void reset() override { google_.channels.clear(); }

  private:
    net::Response route(const net::Request& request) {
        const bool is_get = request.method == "GET";
        const bool is_post = request.method == "POST";
        const std::string_view path = request.path;
        if (path.starts_with("/calendar/v3/")) {
            const auto bearer = oauth_.authenticate(request);
            if (!bearer) return to_response(bearer.error());
            return serve_calendar(google_, *google_.find_account((*bearer)->email),
                                  (*bearer)->scopes, request);
        }
        if (path == "/o/oauth2/v2/auth") return is_get ? oauth_.authorize(request) : wrong_method();
        if (path == "/o/oauth2/v2/auth/decision")
            return is_post ? oauth_.decide(request) : wrong_method();
        if (path == "/token") return is_post ? oauth_.token(request) : wrong_method();
        if (path == "/revoke") return is_post ? oauth_.revoke(request) : wrong_method();
        if (path == "/v1/userinfo") return oauth_.userinfo(request);
        if (path == "/.well-known/openid-configuration") return oauth_.metadata();
        if (path == "/style.css") return style_sheet();
        return to_response(refuse_missing().error());
    }

    GoogleWorld google_;
    Grants oauth_grants_;
    OAuth oauth_;
};

}  // namespace

Google::Google(GoogleOptions options, const Clock& clock, Timers& timers, Random& random)
    : Provider(std::make_unique<GoogleParts>(std::move(options), clock, timers, random)) {}

}  // namespace calhost::sandbox
