/// `ctx.http`: the way out for a provider. The host adds the token, refreshes it after a 401, waits
/// as the provider asks, and repeats what may be repeated.
#pragma once

#include <array>
#include <memory>

#include "base/random.h"
#include "lua/state.h"
#include "net/message.h"
#include "plugin/access.h"
#include "plugin/lanes.h"
#include "plugin/provider_info.h"

namespace calhost::plugin {

/// What one call of a provider function needs. *Ownership*: the objects outlive the call; the Lua
/// object holds this weakly, so a script that keeps `ctx.http` beyond its call gets an error.
struct HttpCall {
    net::Transport& transport;
    const Clock& clock;
    Timers& timers;
    Random& random;
    const ProviderInfo& provider;
    Access& access;
    Lanes& lanes;
};

/// Methods get, post, put, patch, delete (url, options) and request (options with method and url):
/// `query`, `headers`, `json`, `form`, `body`. They wait, and give `{status, headers, body,
/// retry_after?}`. A path is relative to the provider's base address; an absolute link must be on a
/// granted host.
lua::Ref make_http_object(lua::State& state, const std::shared_ptr<HttpCall>& call);

/// How often a request is repeated after a fault, and the longest wait inside a call: a provider
/// that asks for more gets its answer handed to the script, with `retry_after`.
inline constexpr int kRepeats = 4;
inline constexpr milliseconds kLongestWait{30'000};
/// Requests of one account on their way at once, where `can.in_flight` does not say.
inline constexpr int kInFlight = 8;

/// Retry-After (RFC 9110 section 10.2.3) in seconds or as a date; nothing when absent or
/// unreadable.
std::optional<milliseconds> retry_after_of(const net::Headers& headers, Timestamp now);

/// The methods of a Lua object for HTTP that are named like a method of HTTP.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kHttpVerbs{
    {{"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}}};

/// `{status, headers, body, retry_after?}`
lua::Push push_http_answer(net::ClientResponse answer, Timestamp now);

/// Sends one request with all of the above. The URL is absolute.
Task<Result<net::ClientResponse>> send_for_provider(HttpCall& call, net::ClientRequest request);

}  // namespace calhost::plugin
