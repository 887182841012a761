/// An account at an address that a person entered, with a fixed password.
#pragma once

#include "plugin/bench.h"

namespace calhost::test {

class AccountAccess final : public plugin::Access {
  public:
    Task<Result<Secret>> token(bool) override { co_return Secret("ann:s3cret:pass"); }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp) override { co_return; }
    [[nodiscard]] const plugin::Account* account() const override { return &home; }
    [[nodiscard]] const std::string& connection_id() const override { return id; }
    plugin::Account home{.url = "https://cloud.example/dav/",
                         .origins = {"https://cloud.example", "https://*.icloud.example"},
                         .data = {{"home", "/dav/ann/"}}};
    std::string id = "c1";
};

}  // namespace calhost::test
