/// A string that must not be seen: no formatter, no stream operator, zeroed when it goes.
#pragma once

#include <string>
#include <string_view>

namespace calhost {

/// *Ownership*: holds its own copy and wipes it on destruction, on assignment and when moved from.
/// Comparing secrets is `crypto::equal` (constant time), so there is no operator==.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    /// The text itself; keep it no longer than the expression that needs it.
    [[nodiscard]] std::string_view expose() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty(); }

  private:
    void wipe() noexcept;
    std::string text_;
};

}  // namespace calhost
