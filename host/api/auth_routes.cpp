// /auth: registration, sign-in, who am I.
#include "api/body.h"
#include "api/context.h"
#include "api/describe.h"
#include "api/problem.h"
#include "api/user_shape.h"

namespace calhost::api {
namespace {

using accounts::Principal;

Task<net::Response> register_user(Context& context, net::Request& request) {
    auto body = Body::read(request);
    if (!body) co_return body.error();
    accounts::Registration registration{.email = body->required_text("email", 320),
                                        .password = Secret(body->required_text("password")),
                                        .name = body->text("name"),
                                        .role = body->text("role", 64),
                                        .request_id = request.request_id};
    if (!body->errors().empty()) co_return invalid_fields(body->errors(), request.request_id);
    if (const auto wrong = context.accounts.check(registration); !wrong.empty())
        co_return invalid_fields(wrong, request.request_id);
    auto user = co_await context.accounts.register_user(std::move(registration));
    if (user) co_return net::Response::json(201, user_shape(*user));
    if (user.error().code == ErrorCode::already_exists)
        co_return problem(409, "email_taken", "There is an account with this address already.",
                          request.request_id);
    co_return host_problem(user.error(), request.request_id);
}

/// Credentials as a form (OAuth's password form, for older clients) or as JSON.
struct Credentials {
    std::string email;
    Secret password;
};

std::expected<Credentials, net::Response> read_credentials(const net::Request& request) {
    if (request.headers.get("Content-Type").starts_with("application/x-www-form-urlencoded")) {
        const auto form = request.form();
        if (!form)
            return std::unexpected(
                problem(400, "invalid_form", "The form cannot be read.", request.request_id));
        return Credentials{std::string(form->get("username")),
                           Secret(std::string(form->get("password")))};
    }
    auto body = Body::read(request);
    if (!body) return std::unexpected(body.error());
    Credentials credentials{body->required_text("email", 320),
                            Secret(body->required_text("password"))};
    if (!body->errors().empty())
        return std::unexpected(invalid_fields(body->errors(), request.request_id));
    return credentials;
}

Task<net::Response> sign_in(Context& context, net::Request& request) {
    auto credentials = read_credentials(request);
    if (!credentials) co_return credentials.error();
    auto signed_in = co_await context.accounts.sign_in(std::move(credentials->email),
                                                       std::move(credentials->password),
                                                       request.client_address, request.request_id);
    if (signed_in)
        co_return net::Response::json(200, {{"access_token", signed_in->access_token.expose()},
                                            {"token_type", "bearer"},
                                            {"expires_in", signed_in->expires_in.count()}});
    if (signed_in.error().code == ErrorCode::unauthorized)
        co_return problem(401, "bad_credentials", "The address or the password is wrong.",
                          request.request_id);
    co_return host_problem(signed_in.error(), request.request_id);
}

Task<net::Response> who_am_i(Context& context, net::Request& request, Principal principal) {
    auto user = context.accounts.find(principal.user_id);
    if (!user) co_return host_problem(user.error(), request.request_id);
    auto connections = connect::select(context.services, principal.user_id, {});
    if (!connections) co_return host_problem(connections.error(), request.request_id);
    auto shape = user_shape(*user);
    shape["time_zone"] = user->time_zone;
    shape["calendar_connected"] = !connections->empty();
    co_return net::Response::json(200, shape);
}

}  // namespace

void add_auth_routes(net::Router& router, Context& context) {
    router.add({"POST", "/auth/register", open_to_all(context, register_user),
                describe_body("auth", "open", "Register with an address and a password",
                              {{"email", "string"},
                               {"password", "string"},
                               {"name?", "string"},
                               {"role?", "string"}})});
    router.add(
        {"POST", "/auth/token", open_to_all(context, sign_in),
         describe_body("auth", "open", "Sign in; form username, password or JSON email, password",
                       {{"email", "string"}, {"password", "string"}})});
    router.add(
        {"GET", "/auth/me", signed_in(context, who_am_i), describe("auth", "user", "The caller")});
}

}  // namespace calhost::api
