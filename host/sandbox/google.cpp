#include "sandbox/google.h"

#include "base/encoding.h"
#include "crypto/crypto.h"
#include "sandbox/calendar_api.h"
#include "sandbox/consent_page.h"
#include "sandbox/google_impl.h"

namespace calhost::sandbox {
namespace {

constexpr milliseconds kLongStall = std::chrono::hours{1};

/// RFC 9110: the method is known, but not here.
net::Response wrong_method() {
    return to_response({405, "httpMethodNotAllowed", "Method Not Allowed", "global", {}, {}});
}

/// The id that an account keeps, from one start of the program to the next as well.
std::string subject_of(const std::string& email) {
    std::string digits;
    for (const char c : crypto::sha256(email).substr(0, 21))
        digits += static_cast<char>('1' + static_cast<unsigned char>(c) % 9);
    return digits;
}

}  // namespace

Google::Google(GoogleOptions options, const Clock& clock, Timers& timers, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), clock, timers, random)) {}

Google::~Google() = default;

net::Response Google::Impl::answer(const net::Request& request) {
    const bool is_get = request.method == "GET";
    const bool is_post = request.method == "POST";
    const std::string_view path = request.path;
    if (path.starts_with("/calendar/v3/")) {
        const auto bearer = oauth.authenticate(request);
        if (!bearer) return to_response(bearer.error());
        return serve_calendar(world, *world.find_account(bearer->email), bearer->scopes, request);
    }
    if (path == "/o/oauth2/v2/auth") return is_get ? oauth.authorize(request) : wrong_method();
    if (path == "/o/oauth2/v2/auth/decision")
        return is_post ? oauth.decide(request) : wrong_method();
    if (path == "/token") return is_post ? oauth.token(request) : wrong_method();
    if (path == "/revoke") return is_post ? oauth.revoke(request) : wrong_method();
    if (path == "/v1/userinfo") return oauth.userinfo(request);
    if (path == "/.well-known/openid-configuration") return oauth.metadata();
    if (path == "/style.css") {
        net::Response response;
        response.headers.set("Content-Type", "text/css; charset=utf-8");
        response.body = style_sheet();
        return response;
    }
    return to_response(refuse_missing().error());
}

Task<Outcome> Google::serve(net::Request& request) {
    auto& world = impl_->world;
    const auto fault = world.faults.take(request.method, request.path);
    const auto wait = world.latency + (fault ? fault->delay : milliseconds{0});
    if (wait > milliseconds{0}) co_await world.timers.sleep(wait);
    Outcome outcome;
    using Kind = Fault::Kind;
    if (fault && fault->kind == Kind::stall) {
        if (fault->delay == milliseconds{0}) co_await world.timers.sleep(kLongStall);
        outcome.cut = Cut::reset;
    } else if (fault && fault->kind == Kind::reset) {
        outcome.cut = Cut::reset;
    } else if (fault && (fault->kind == Kind::status || fault->kind == Kind::html)) {
        outcome.response = fault_response(*fault, world.clock.now());
    } else {
        outcome.response = impl_->answer(request);
        if (fault && fault->kind == Kind::lost_reply) outcome.cut = Cut::reset;
        if (fault && fault->kind == Kind::truncate) outcome.cut = Cut::truncate;
    }
    world.ledger.add_request(request.method, request.path,
                             outcome.cut == Cut::reset ? 0 : outcome.response.status);
    if (outcome.cut == Cut::truncate)
        outcome.response.body.resize(outcome.response.body.size() / 2);
    if (outcome.cut == Cut::reset) outcome.response.body.clear();
    co_return outcome;
}

Task<net::Response> Google::handle(net::Request& request) {
    auto outcome = co_await serve(request);
    if (outcome.cut != Cut::none) outcome.response.headers.set("Connection", "close");
    co_return std::move(outcome.response);
}

Task<net::Response> Google::control(net::Request& request) {
    co_return co_await serve_control(*this, *impl_, request);
}

void Google::add_account(std::string email, std::string name, std::string time_zone) {
    Account account;
    account.email = email;
    account.name = std::move(name);
    account.zone = std::move(time_zone);
    account.subject = subject_of(email);
    account.list_generation = impl_->world.options.first_generation;
    account.add_calendar(email, email, true).generation = account.list_generation;
    impl_->world.accounts.insert_or_assign(std::move(email), std::move(account));
}

void Google::on_notification(std::function<void(net::ClientRequest)> deliver) {
    impl_->world.deliver = std::move(deliver);
}

}  // namespace calhost::sandbox
