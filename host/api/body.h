/// Reading a request's body: JSON members with their types, or a form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/accounts.h"
#include "base/json.h"
#include "net/message.h"

namespace calhost::api {

/// Collects what is wrong, so that all of it is said at once (422). Unknown members are ignored.
class Body {
  public:
    /// *Errors*: the answer to give: 400 for no JSON, 422 for JSON that is no object.
    static std::expected<Body, net::Response> read(const net::Request& request);

    /// Empty when absent; wrong types become errors.
    std::string text(std::string_view name, std::size_t max_bytes = 1024);
    std::string required_text(std::string_view name, std::size_t max_bytes = 1024);
    std::optional<bool> boolean(std::string_view name);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least,
                                        std::int64_t most);

    /// A list of texts, none of them empty; nothing when it is absent.
    std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t most,
                                                  std::size_t max_bytes = 1024);

    /// The object of that name, empty when it is absent; its complaints name "client.email". Give
    /// them back with `take_errors`.
    Body object(std::string_view name);
    void take_errors(Body& member);
    /// The value as it is, or nullptr when it is absent or null.
    [[nodiscard]] const json::value* find(std::string_view name) const {
        return json::find(value_, name);
    }

    void complain(std::string_view field, std::string message);
    [[nodiscard]] const std::vector<accounts::FieldError>& errors() const { return errors_; }

  private:
    json::value value_;
    std::string prefix_;  ///< of an object in the body: "client."
    std::vector<accounts::FieldError> errors_;
};

}  // namespace calhost::api
