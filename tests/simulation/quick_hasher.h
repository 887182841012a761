/// Passwords without Argon2id's work: a simulated world signs in often and lasts milliseconds.
#pragma once

#include <memory>

#include "accounts/hasher.h"
#include "crypto/crypto.h"

namespace calhost::simulation {

class QuickHasher final : public accounts::Hasher {
  public:
    Task<Result<std::string>> hash(Secret password) override {
        co_return "quick:" + crypto::token_hash(password);
    }
    Task<Result<bool>> verify(std::string hash, Secret password) override {
        co_return hash == "quick:" + crypto::token_hash(password);
    }
    void close() override {}
};

inline std::shared_ptr<accounts::Hasher> make_quick_hasher() {
    return std::make_shared<QuickHasher>();
}

}  // namespace calhost::simulation
