/// Sealing at rest: AES-256-GCM with several keys, one active, bound to the row it belongs to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace calhost::crypto {

/// Where a sealed value belongs; part of the authenticated data, so that a value moved to another
/// table, column, row or user does not open.
struct Place {
    std::string_view table;
    std::string_view column;
    std::string_view row;
    std::string_view user;
};

struct NamedKey {
    std::string id;  ///< letters, digits, '-' and '_'
    Secret key;      ///< 32 bytes, raw
};

/// Reads a key as people write it: 64 hex digits, or base64 (either alphabet) of 32 bytes.
/// *Errors*: misconfigured, saying how many bytes it is and how to make one.
Result<Secret> parse_key(std::string_view text);

/// *Thread*: any (contexts are per thread). Immutable.
class KeyRing {
  public:
    /// *Errors*: misconfigured: no key, an id twice, an active id that is not there, not 32 bytes.
    static Result<KeyRing> create(std::vector<NamedKey> keys, std::string active);

    /// `v1:<key id>:<iv>:<tag>:<data>`, hex, with the active key.
    [[nodiscard]] std::string seal(const Secret& plain, const Place& place, Random& random) const;
    /// Opens `v1:` values, and the older three-part `iv:authTag:data` (no additional data) with any
    /// key. *Errors*: invalid (damaged, or moved from elsewhere), misconfigured (its key is not in
    /// the ring).
    [[nodiscard]] Result<Secret> open(std::string_view sealed, const Place& place) const;

    [[nodiscard]] const std::string& active() const { return active_; }
    [[nodiscard]] std::vector<std::string> ids() const;
    /// The key id that a sealed value names: a hint, not a proof. Empty for the older form.
    static std::string_view key_id_of(std::string_view sealed);

  private:
    KeyRing() = default;

    std::vector<NamedKey> keys_;
    std::string active_;
};

}  // namespace calhost::crypto
