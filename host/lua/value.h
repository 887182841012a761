/// Moving values between C++ and Lua without an intermediate tree. lua.h stays in this room's .cpp
/// files.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct lua_State;

namespace calhost::lua {

enum class Type { nil, boolean, number, string, table, function, other };

/// Writes exactly one Lua value. *Thread*: the state's worker.
/// Any call may throw Lua's own error when the memory cap is met: hold no C++ resource that its
/// destructor would not free, and never catch (...).
class Writer {
  public:
    explicit Writer(lua_State* state) : state_(state) {}
    void nil();
    void boolean(bool value);
    void integer(std::int64_t value);
    void number(double value);
    void string(std::string_view value);
    /// `json.null`: what readers see as nil, and JSON as null.
    void null();
    /// JSON's null becomes `json.null`.
    void json(const boost::json::value& value);
    /// Pushes a value that is already in this state once more.
    void copy(const class Reader& value);

    /// A table: begin, then members, then end. Sizes are hints.
    void begin_table(int items = 0, int fields = 0);
    void end_table() {}
    /// A table that is an array in JSON even when it is empty.
    void begin_array(int items = 0);
    /// Writes the next value into the open table under `name`: `w.field("id", [&]{ w.string(id);
    /// })` is spelled with the short forms below.
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
    void field(std::string_view name, bool value);
    void field(std::string_view name, std::int64_t value);
    void field(std::string_view name, int value) { field(name, std::int64_t{value}); }
    /// Opens a table under `name`; `close` puts it there.
    void open_field(std::string_view name, int items = 0, int fields = 0);
    void close_field(std::string_view name);
    /// The value just written becomes item `index` (from 1) of the open table below it.
    void set_item(std::int64_t index);
    /// The value just written becomes field `name` of the open table below it.
    void set_field(std::string_view name);

    /// For the lua room.
    [[nodiscard]] lua_State* state() const { return state_; }

  private:
    lua_State* state_;
};

/// Looks at one Lua value. Metamethods are never run (raw access). Valid while the call that handed
/// it out runs; strings are views into Lua's memory and live as long as their table.
class Reader {
  public:
    Reader(lua_State* state, int index)
        : state_(state), index_(index > 0 ? index : absolute(state, index)) {}

    [[nodiscard]] Type type() const;
    [[nodiscard]] bool is_nil() const { return type() == Type::nil; }
    [[nodiscard]] bool is_table() const { return type() == Type::table; }
    /// Empty, 0, false for a value of another type. Numbers are not turned into strings.
    [[nodiscard]] std::string_view string() const;
    [[nodiscard]] bool boolean() const;
    [[nodiscard]] std::optional<std::int64_t> integer() const;
    [[nodiscard]] std::optional<double> number() const;
    /// Length of a sequence.
    [[nodiscard]] std::int64_t size() const;
    /// The whole value as JSON: depth at most 32, functions refused. *Errors*: invalid.
    [[nodiscard]] Result<boost::json::value> json() const;

    /// A table's members; nil for what is not there.
    [[nodiscard]] std::string_view string_field(std::string_view name) const;
    [[nodiscard]] bool boolean_field(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> integer_field(std::string_view name) const;
    void with_field(std::string_view name, const std::function<void(const Reader&)>& use) const;
    void with_item(std::int64_t index, const std::function<void(const Reader&)>& use) const;
    void each_item(const std::function<void(std::int64_t, const Reader&)>& use) const;
    /// Fields with string keys, in no order.
    void each_field(const std::function<void(std::string_view, const Reader&)>& use) const;

    /// For the lua room and for functions that push this value again.
    [[nodiscard]] lua_State* state() const { return state_; }
    [[nodiscard]] int index() const { return index_; }

  private:
    static int absolute(lua_State* state, int index);

    lua_State* state_;
    int index_;
};

/// Pushes one value.
using Push = std::function<void(Writer&)>;

}  // namespace calhost::lua
