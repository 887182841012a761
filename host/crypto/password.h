/// Passwords by Argon2id (libsodium): m = 19 MiB, t = 2 (OWASP cheat sheet "Password Storage").
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace calhost::crypto {

/// The encoded hash with its parameters; about 12 ms of CPU and 19 MiB, so call it on a hashing
/// thread (accounts::PasswordHasher), never on a worker. *Thread*: any.
std::string hash_password(const Secret& password);
bool verify_password(std::string_view hash, const Secret& password);
/// True when `hash` was made with other costs than today's.
bool needs_rehash(std::string_view hash);

}  // namespace calhost::crypto
