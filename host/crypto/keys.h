/// The key ring in use; `calhost keys rotate` replaces it while the host serves.
#pragma once

#include <memory>
#include <mutex>

#include "crypto/key_ring.h"

namespace calhost::crypto {

/// *Thread*: any.
class Keys {
  public:
    explicit Keys(KeyRing ring) : ring_(std::make_shared<const KeyRing>(std::move(ring))) {}
    [[nodiscard]] std::shared_ptr<const KeyRing> current() const {
        const std::scoped_lock lock(mutex_);
        return ring_;
    }
    void replace(KeyRing ring) {
        auto next = std::make_shared<const KeyRing>(std::move(ring));
        const std::scoped_lock lock(mutex_);
        ring_ = std::move(next);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const KeyRing> ring_;
};

}  // namespace calhost::crypto
