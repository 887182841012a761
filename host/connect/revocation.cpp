#include "connect/revocation.h"

#include "base/json.h"
#include "connect/oauth_flow.h"
#include "storage/connections.h"

namespace calhost::connect {
namespace {

crypto::Place payload_place(std::string_view target) { return {"jobs", "payload", target, ""}; }

}  // namespace

storage::Job revocation_job(Services& services, std::string target, const std::string& provider,
                            const Grant& grant) {
    // The refresh token ends the whole grant, an access token at some providers only itself.
    const auto& token = grant.refresh_token.empty() ? grant.access_token : grant.refresh_token;
    const json::object secret{{"provider", provider}, {"token", token.expose()}};
    const auto now = services.clock.now();
    storage::Job job{.id = new_id(services.random),
                     .kind = std::string(kRevokeJob),
                     .target = std::move(target)};
    job.run_at = now;
    job.created_at = now;
    job.payload = services.keys.current()->seal(Secret(json::serialize(secret)),
                                                payload_place(job.target), services.random);
    return job;
}

Result<void> enqueue_revocation(storage::Sql& sql, const storage::Job& job,
                                std::string_view provider, std::string_view external_id) {
    auto others = storage::count_connections_to(sql, provider, external_id);
    if (!others) return fail(others.error());
    if (*others > 0) return {};
    return storage::enqueue_job(sql, job);
}

Task<Result<void>> run_revocation(Services& services, const storage::Job& job) {
    auto payload = services.keys.current()->open(job.payload, payload_place(job.target));
    if (!payload) co_return fail(payload.error());
    auto secret = json::parse(payload->expose());
    if (!secret) co_return fail(secret.error());
    const auto* provider = services.providers.find(json::text_of(*secret, "provider"));
    if (provider == nullptr)
        co_return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    const Secret token(std::string(json::text_of(*secret, "token")));
    co_return co_await revoke_token(services, provider->info(), token);
}

}  // namespace calhost::connect
