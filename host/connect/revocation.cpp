#include "connect/revocation.h"

#include "base/json.h"
#include "base/log.h"
#include "connect/oauth_flow.h"
#include "connect/sealing.h"

namespace calhost::connect {
namespace {

crypto::Place payload_place(std::string_view target) { return {"jobs", "payload", target, ""}; }

}  // namespace

Grant stored_grant(Services& services, const storage::Connection& row) {
    Grant grant;
    if (auto token =
            open_token(services, row.sealed_refresh_token, kRefreshColumn, row.id, row.user_id))
        grant.refresh_token = std::move(*token);
    if (auto token =
            open_token(services, row.sealed_access_token, kAccessColumn, row.id, row.user_id))
        grant.access_token = std::move(*token);
    return grant;
}

storage::Job revocation_job(Services& services, std::string target, const Account& account,
                            const Grant& grant) {
    // The refresh token ends the whole grant, an access token at some providers only itself.
    const auto& token = grant.refresh_token.empty() ? grant.access_token : grant.refresh_token;
    const json::object secret{{"provider", account.provider},
                              {"external_id", account.external_id},
                              {"token", token.expose()}};
    const auto now = services.clock.now();
    storage::Job job{.id = new_id(services.random),
                     .kind = std::string(kRevokeJob),
                     .target = std::move(target)};
    job.lane = account.provider;
    job.run_at = now;
    job.created_at = now;
    job.payload = services.keys.current()->seal(Secret(json::serialize(secret)),
                                                payload_place(job.target), services.random);
    return job;
}

Result<void> enqueue_revocation(storage::Sql& sql, const storage::Job& job,
                                const Account& account) {
    auto others = storage::count_connections_to(sql, account.provider, account.external_id);
    if (!others) return fail(others.error());
    if (*others > 0) return {};
    return storage::enqueue_job(sql, job);
}

Task<> give_back(Services& services, Account account, Grant grant) {
    const auto job = revocation_job(services, new_id(services.random), account, grant);
    const auto queued = co_await services.database.write(
        [&](storage::Sql& sql) { return enqueue_revocation(sql, job, account); });
    if (!queued)
        log::error("a refused grant is not given back",
                   {{"provider", account.provider}, {"reason", queued.error().message}});
}

Task<Result<void>> run_revocation(Services& services, const storage::Job& job) {
    auto payload = services.keys.current()->open(job.payload, payload_place(job.target));
    if (!payload) co_return fail(payload.error());
    auto secret = json::parse(payload->expose());
    if (!secret) co_return fail(secret.error());
    const auto name = json::text_of(*secret, "provider");
    // Somebody connected the account again since: revoking the old grant would end the new one too.
    auto others = storage::count_connections_to(services.database.reader(), name,
                                                json::text_of(*secret, "external_id"));
    if (!others) co_return fail(others.error());
    if (*others > 0) co_return Result<void>{};
    const auto* provider = services.providers.find(name);
    if (provider == nullptr)
        co_return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    const Secret token(std::string(json::text_of(*secret, "token")));
    co_return co_await revoke_token(services, provider->info(), token);
}

}  // namespace calhost::connect
