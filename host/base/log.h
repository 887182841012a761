/// The log: one line an entry, as JSON or as text, on standard error. Control characters are
/// escaped, so that no input can forge a line. Nothing secret has a way in: `Secret` is no Value.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace calhost::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

/// A field's value; numbers and booleans stay what they are in JSON.
class Value {
  public:
    Value(std::string text) : value_(std::move(text)) {}
    Value(std::string_view text) : value_(std::string(text)) {}
    Value(const char* text) : value_(std::string(text)) {}
    Value(bool flag) : value_(flag) {}
    Value(double number) : value_(number) {}
    template <std::integral T>
    Value(T number) : value_(static_cast<std::int64_t>(number)) {}

    [[nodiscard]] const auto& get() const { return value_; }

  private:
    std::variant<std::string, std::int64_t, double, bool> value_;
};

struct Field {
    std::string_view name;
    Value value;
};
using Fields = std::initializer_list<Field>;

/// *Thread*: any. Called once at start; before it the log is text at level info.
void configure(Level level, Format format);

bool is_enabled(Level level);

void write(Level level, std::string_view message, Fields fields = {});
inline void debug(std::string_view m, Fields f = {}) { write(Level::debug, m, f); }
inline void info(std::string_view m, Fields f = {}) { write(Level::info, m, f); }
inline void warning(std::string_view m, Fields f = {}) { write(Level::warning, m, f); }
inline void error(std::string_view m, Fields f = {}) { write(Level::error, m, f); }

/// Sends finished lines to `sink` too, or only there; for tests. An empty function ends it.
enum class Echo { on, off };
void set_sink(std::function<void(std::string_view line)> sink, Echo echo = Echo::on);

/// The word in `log.level`, or nothing.
bool parse_level(std::string_view word, Level& level);

}  // namespace calhost::log
