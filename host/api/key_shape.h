/// API keys as the calls show them.
#pragma once

#include "accounts/keys.h"
#include "base/json.h"
#include "net/message.h"

namespace calhost::api {

json::object key_shape(const storage::ApiKey& key);
json::array words_shape(const std::vector<std::string>& words);

/// 201 with what was made and `key`, which is shown this once and is stored nowhere.
net::Response new_key_answer(json::object shape, const accounts::NewKey& key);

}  // namespace calhost::api
