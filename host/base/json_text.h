/// JSON text, written from front to back: for what is stored and answered by the thousand, where a
/// tree of values would cost four times as much.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace calhost::json {

/// The text as a JSON string, with its quotes. What is UTF-8 stays so.
void append_string(std::string& out, std::string_view text);

/// Puts the commas. The caller closes what it opened and names every member of an object.
class TextWriter {
  public:
    void reserve(std::size_t bytes) { out_.reserve(bytes); }

    void begin_object() { (separate(), out_ += '{'); }
    void end_object() { out_ += '}'; }
    void begin_array() { (separate(), out_ += '['); }
    void end_array() { out_ += ']'; }

    /// The next value is the member `name`, which needs no escapes.
    void name(std::string_view name);

    void value(std::string_view text) { (separate(), append_string(out_, text)); }
    void value(const char* text) { value(std::string_view(text)); }
    void value(const std::string& text) { value(std::string_view(text)); }
    void value(bool flag) { raw(flag ? "true" : "false"); }
    void value(std::nullptr_t) { raw("null"); }
    template <std::integral Number>
    void value(Number number) {
        integer(static_cast<std::int64_t>(number));
    }
    /// A value that is JSON text already.
    void raw(std::string_view json) { (separate(), out_ += json); }

    template <class Value>
    void member(std::string_view its_name, const Value& its_value) {
        name(its_name);
        value(its_value);
    }

    /// What was written.
    std::string take() { return std::move(out_); }

  private:
    void integer(std::int64_t number);
    /// No value ends in one of these, since a string ends in its quote.
    void separate() {
        if (out_.empty()) return;
        const char last = out_.back();
        if (last != '{' && last != '[' && last != ':') out_ += ',';
    }

    std::string out_;
};

}  // namespace calhost::json
