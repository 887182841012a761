/// What the calls that lead to a provider's page share.
#pragma once

#include "api/context.h"

namespace calhost::api {

/// `provider`, `account`, `purpose`, `return_to`, `login_hint` of the query, checked; the answer to
/// give (422, naming the field) when one is wrong.
std::expected<connect::Begin, net::Response> read_begin(const net::Request& request,
                                                        const std::string& user_id);

/// 200 with `authorization_url`.
Task<net::Response> begin_as_json(Context& context, net::Request& request, connect::Begin begin);
/// 302, with the cookie that must come back.
Task<net::Response> begin_as_redirect(Context& context, net::Request& request,
                                      connect::Begin begin);

/// `Accept` names text/html: a browser navigates.
bool prefers_html(const net::Request& request);
/// `Accept` is exactly application/json.
bool accepts_only_json(const net::Request& request);

/// Where a person lands on the frontend: `return_to`, else the rule's page, else /dashboard; with
/// `name=value` in the query.
std::string landing_url(Context& context, const storage::Connection& connection,
                        const std::string& return_to, std::string_view name,
                        std::string_view value);

/// The problem of a flow that could not begin.
net::Response begin_problem(const Error& error, std::string_view request_id);

}  // namespace calhost::api
