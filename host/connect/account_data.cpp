#include "connect/account_data.h"

#include "base/json.h"

namespace calhost::connect {

std::string write_account(const plugin::Account& account) {
    return json::serialize(
        json::object{{"url", account.url},
                     {"origins", json::array(account.origins.begin(), account.origins.end())},
                     {"data", account.data}});
}

plugin::Account read_account(std::string_view text) {
    plugin::Account account;
    const auto stored = json::parse(text);
    if (!stored) return account;
    account.url = json::text_of(*stored, "url");
    if (const auto* origins = json::find(*stored, "origins");
        origins != nullptr && origins->is_array())
        for (const auto& origin : origins->get_array())
            if (origin.is_string()) account.origins.emplace(origin.get_string());
    if (const auto* data = json::find(*stored, "data"); data != nullptr && data->is_object())
        account.data = data->get_object();
    return account;
}

}  // namespace calhost::connect
