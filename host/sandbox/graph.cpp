#include "sandbox/graph.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "sandbox/consent_page.h"
#include "sandbox/graph_item.h"
#include "sandbox/parts.h"

namespace calhost::sandbox {
namespace {

constexpr int kMostInFlight = 4;
constexpr int kMostRequests = 10'000;
constexpr auto kQuotaWindow = std::chrono::minutes{10};

/// A GUID that an account keeps, from one start of the program to the next as well.
std::string guid_of(std::string_view text) {
    auto hex = hex_encode(crypto::sha256(text)).substr(0, 32);
    for (const std::size_t place : {20U, 16U, 12U, 8U}) hex.insert(place, "-");
    return hex;
}

std::string code_of(const Fault& fault) {
    if (!fault.reason.empty()) return fault.reason;
    switch (fault.status) {
        case 401:
            return "InvalidAuthenticationToken";
        case 403:
            return "ErrorAccessDenied";
        case 404:
            return "ErrorItemNotFound";
        case 409:
            return "ErrorConflict";
        case 410:
            return "SyncStateNotFound";
        case 412:
            return "ErrorIrresolvableConflict";
        case 429:
            return "ApplicationThrottled";
        default:
            return fault.status < 500 ? "ErrorInvalidRequest" : "ServiceUnavailable";
    }
}

class GraphParts final : public Provider::Parts {
  public:
    GraphParts(Options options, const Clock& clock, Timers& timers, Random& random)
        : Parts(graph_, grants_),
          graph_(std::move(options), clock, timers, random),
          grants_(graph_, graph::kMicrosoftGrants),
          identity_(graph_, grants_) {}

    Task<net::Response> answer(const net::Request& request) override {
        const auto stamp = stamp_of(request);
        auto response = co_await route(request, stamp);
        graph::put_stamp(response, stamp);
        co_return response;
    }

    net::Response refusal(const Fault& fault, const net::Request& request) override {
        if (request.path.ends_with("/token")) return token_refusal(fault);
        const auto stamp = stamp_of(request);
        auto response =
            graph::to_response({fault.status, code_of(fault), "Sandbox fault", {}, {}}, stamp);
        graph::put_stamp(response, stamp);
        return response;
    }

    std::string lane(const net::Request& request) override {
        if (!request.path.starts_with("/v1.0/")) return {};
        const auto* grant = grants_.authenticate(request);
        return grant == nullptr ? std::string() : grant->email;
    }

    std::optional<net::Response> throttle(const net::Request& request, const std::string& lane,
                                          int in_flight) override {
        if (lane.empty()) return std::nullopt;
        auto& quota = graph_.quotas[lane];
        const auto now = graph_.clock.now();
        if (now >= quota.since + kQuotaWindow) quota = {now, 0};
        const auto refused = [&](std::string message, std::string seconds) {
            const auto stamp = stamp_of(request);
            auto response = graph::to_response(
                {429, "ApplicationThrottled", std::move(message), std::move(seconds), {}}, stamp);
            graph::put_stamp(response, stamp);
            return response;
        };
        if (in_flight > kMostInFlight)
            return refused("Application is over its MailboxConcurrency limit.", "1");
        if (++quota.count <= kMostRequests) return std::nullopt;
        const auto rest = std::chrono::ceil<std::chrono::seconds>(quota.since + kQuotaWindow - now);
        return refused("Application is over its RequestQuota limit.", std::to_string(rest.count()));
    }

    std::string subject_of(const std::string& email) override { return guid_of("oid " + email); }
    std::string primary_id_of(const std::string& email) override {
        return "AAMkAD" + base64url_encode(crypto::sha256("calendar " + email)) + "=";
    }
    void prepare(Account& account) override {
        account.tenant = guid_of("tenant " + account.email.substr(account.email.find('@') + 1));
    }

    bool store(Account& account, Calendar& calendar, const calendar::Event& event, std::string id,
               const std::string& series_id) override {
        return graph::store_neutral(graph_, account, calendar, event, std::move(id), series_id);
    }

    net::Response edit_event(Account& account, Calendar& calendar, std::string event_id,
                             const net::Request& request) override {
        const auto stamp = stamp_of(request);
        graph::Call call{.world = graph_,
                         .account = account,
                         .scopes = every_scope_,
                         .request = request,
                         .prefer = {},
                         .calendar = &calendar};
        call.event_id = graph::read_id(event_id);
        const bool has_id = !event_id.empty();
        auto answer = [&]() -> graph::Answer<net::Response> {
            if (request.method == "GET" && has_id) return graph::get_event(call);
            if (request.method == "POST" && !has_id) return graph::create_event(call);
            if (request.method == "PATCH" && has_id) return graph::update_event(call);
            if (request.method == "DELETE" && has_id) return graph::delete_event(call);
            return graph::refuse_missing();
        }();
        return answer ? std::move(*answer) : graph::to_response(answer.error(), stamp);
    }

    std::optional<net::Response> control_account(Account& account, std::string_view word,
                                                 const json::value& body) override {
        if (word == "personal") {
            account.tenant = graph::kConsumers;
        } else if (word == "require-interaction") {
            account.needs_interaction = true;
        } else if (word == "stage") {
            if (!graph::stage_event(graph_, account, body))
                return net::Response::json(404, json::object{{"error", "there is no such event"}});
        } else if (word == "lifecycle") {
            const auto event = json::text_of(body, "event");
            if (event != "missed" && event != "subscriptionRemoved" &&
                event != "reauthorizationRequired")
                return net::Response::json(400, json::object{{"error", "unknown event"}});
            const bool is_sent = graph::notify_lifecycle(graph_, account, event);
            return net::Response::json(200, json::object{{"sent", is_sent}});
        } else {
            return std::nullopt;
        }
        return net::Response::json(200, json::object{});
    }

    void reset() override {
        graph_.subscriptions.clear();
        graph_.deltas.clear();
        graph_.rounds.clear();
        graph_.delta_tokens.clear();
        graph_.round_tokens.clear();
        graph_.quotas.clear();
    }

    void on_validation(Graph::Send send) { graph_.validate = std::move(send); }

  private:
    graph::Stamp stamp_of(const net::Request& request) {
        auto id = new_id(graph_.random);
        std::string client(request.headers.get("client-request-id"));
        if (client.empty()) client = id;
        return {std::move(id), std::move(client), graph_.clock.now()};
    }

    Task<net::Response> route(const net::Request& request, graph::Stamp stamp) {
        if (request.path == "/style.css") co_return style_sheet();
        if (request.path == "/oidc/userinfo") co_return identity_.userinfo(request);
        if (!request.path.starts_with("/v1.0/")) {
            if (auto response = identity_.serve(request)) co_return std::move(*response);
            co_return graph::to_response({404, "ResourceNotFound", "Resource not found.", {}, {}},
                                         stamp);
        }
        const auto* grant = grants_.authenticate(request);
        if (grant == nullptr)
            co_return graph::to_response({401,
                                          "InvalidAuthenticationToken",
                                          "Lifetime validation failed, the token is expired.",
                                          {},
                                          {}},
                                         stamp);
        // The grant may end while a handshake waits.
        const auto scopes = grant->scopes;
        auto response =
            co_await graph::serve_api(graph_, *graph_.find_account(grant->email), scopes, request);
        co_return response ? std::move(*response) : graph::to_response(response.error(), stamp);
    }

    net::Response token_refusal(const Fault& fault) {
        struct Word {
            int status;
            std::string_view error;
            int code;
        };
        constexpr Word kWords[] = {
            {400, "invalid_grant", 70000},      {401, "invalid_client", 7000215},
            {0, "interaction_required", 50076}, {0, "consent_required", 65001},
            {0, "unauthorized_client", 700016}, {0, "server_error", 90012}};
        for (const auto& word : kWords)
            if (fault.reason.empty() ? word.status == fault.status : word.error == fault.reason)
                return identity_.token_error(fault.status, word.error, word.code, "Sandbox fault.");
        return identity_.token_error(fault.status, "temporarily_unavailable", 90033,
                                     "A transient error has occurred. Please try again.");
    }

    graph::GraphWorld graph_;
    Grants grants_;
    graph::Identity identity_;
    const Scopes every_scope_;
};

}  // namespace

Graph::Graph(Options options, const Clock& clock, Timers& timers, Random& random)
    : Provider(std::make_unique<GraphParts>(std::move(options), clock, timers, random)) {}

void Graph::on_validation(Send send) {
    static_cast<GraphParts&>(*parts_).on_validation(std::move(send));
}

}  // namespace calhost::sandbox
