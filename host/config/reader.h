/// Typed reading of one mapping of the file. Mistakes become complaints and reading goes on, so
/// that all of them are shown at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/document.h"
#include "config/settings.h"

namespace calhost::config {

/// What all readers of one file share.
struct Context {
    std::string file;
    Environment environment;
    std::vector<Complaint> complaints;

    void complain(int line, std::string key, std::string message, bool is_error = true);
    /// The scalar with its variables put in, or nothing after a complaint.
    std::optional<std::string> expand(const Node& node, const std::string& key);
};

template <class T>
using Parse = std::function<Result<T>(std::string_view)>;

/// *Ownership*: refers to the tree and to the context.
class Reader {
  public:
    /// `node` may be null: then nothing is given.
    Reader(Context& context, const Node* node, int line, std::string key);

    /// A mapping inside this one.
    Reader section(std::string_view name);

    /// The text, or nothing when it is absent or null. An empty text is a text.
    std::optional<std::string> text(std::string_view name);
    /// Reads into `into`, which keeps its default when nothing or an empty text is given.
    template <class T>
    void value(std::string_view name, T& into, const std::type_identity_t<Parse<T>>& parse) {
        const auto given = text(name);
        if (!given || given->empty()) return;
        if (auto parsed = parse(*given)) {
            into = std::move(*parsed);
        } else {
            complain(name, parsed.error().message);
        }
    }
    void list(std::string_view name, std::vector<std::string>& into,
              const Parse<std::string>& parse);

    /// A key of the design that a later version brings.
    void refuse_for_now(std::string_view name);
    /// Every member that was not asked for is unknown. Called last.
    void finish();

    /// The line of a member, or of this mapping when the member is not there.
    [[nodiscard]] int line_of(std::string_view name) const;
    [[nodiscard]] std::string key_of(std::string_view name) const;
    void complain(std::string_view name, std::string message, bool is_error = true);
    /// Null when absent or null; counts as asked for.
    const Node* node(std::string_view name);
    [[nodiscard]] const std::vector<Member>& members() const;
    /// True once something about `name` was complained of.
    [[nodiscard]] bool has_complaint(std::string_view name) const;

  private:
    Context* context_;
    const Node* node_;
    int line_;
    std::string key_;
    std::vector<std::string> known_;
};

/// A provider's or plugin's own mapping as JSON: YAML's core schema for what is written without
/// quotes, text for what came from a variable.
Section read_section(Context& context, const Node& node, const std::string& key);

}  // namespace calhost::config
