/// A provider of a few lines in a world of its own: what it asks is kept, what it gets is told.
#pragma once

#include <doctest/doctest.h>

#include <deque>

#include "base/json.h"
#include "plugin/provider.h"
#include "plugin/rules.h"
#include "support/seeded_random.h"
#include "support/virtual_time.h"

namespace calhost::test {

/// Answers from a list; the last answer stays. Keeps the requests.
class ListTransport final : public net::Transport {
  public:
    Task<Result<net::ClientResponse>> send(net::ClientRequest request) override {
        if (hook) hook(request);
        requests.push_back(std::move(request));
        auto answer = answers.front();
        if (answers.size() > 1) answers.pop_front();
        co_return answer;
    }
    std::deque<Result<net::ClientResponse>> answers{net::ClientResponse{200, {}, "{}"}};
    std::vector<net::ClientRequest> requests;
    std::function<void(const net::ClientRequest&)> hook;  ///< sees each before it is answered
};

class FixedAccess final : public plugin::Access {
  public:
    Task<Result<Secret>> token(bool was_refused) override {
        refused += was_refused ? 1 : 0;
        co_return Secret("s3cret-token");
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return blocked; }
    Task<> block_until(Timestamp when) override {
        blocked = when;
        co_return;
    }
    [[nodiscard]] const std::string& connection_id() const override { return id; }
    std::optional<Timestamp> blocked;
    int refused = 0;
    std::string id = "c1";
};

struct Bench {
    /// `functions` is what stands between the head and `return M`.
    explicit Bench(std::string_view functions) {
        const std::string code = R"(local json, event = require("host.json"), require("host.event")
local M = { id = "acme", title = "Acme Calendar", api = 1, base_url = "https://api.acme.example/v1",
  auth = { authorize = "https://acme.example/auth", userinfo = "https://id.acme.example/me" } }
)" + std::string(functions) + "\nreturn M\n";
        auto loaded = plugin::Provider::load({"acme", "providers/acme/provider.lua", code},
                                             {transport, time, time, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        plugin::apply_section(provider->info(),
                              {{"client_id", "id"}, {"client_secret", "s3cret-client"}},
                              {{"client_id", "id"}});
    }
    Result<plugin::Identity> identity() { return time.wait(provider->identity(access)); }
    Result<plugin::Changes> changes() {
        return time.wait(provider->list_changes(access, "primary", std::nullopt, std::nullopt,
                                                {time.now(), time.now() + std::chrono::days{7}}));
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    ListTransport transport;
    FixedAccess access;
    std::unique_ptr<plugin::Provider> provider;
};

/// "code: message" of a failure, or "ok".
template <class T>
std::string outcome_of(const Result<T>& result) {
    if (result) return "ok";
    return std::string(to_string(result.error().code)) + ": " + result.error().message;
}

}  // namespace calhost::test
