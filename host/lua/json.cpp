#include "lua/json.h"

#include <fmt/format.h>

#include <boost/json/value_stack.hpp>
#include <cmath>
#include <lua.hpp>

#include "base/encoding.h"
#include "base/json_text.h"
#include "lua/json_items.h"
#include "lua/marks.h"

namespace calhost::lua {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kMostValues = 1'000'000;
constexpr std::size_t kMostBytes = 16U << 20U;

/// Builds text.
class TextSink {
  public:
    void null() { text_ += "null"; }
    void boolean(bool value) { text_ += value ? "true" : "false"; }
    void integer(std::int64_t value) { text_ += fmt::format_int(value).c_str(); }
    void number(double value) { fmt::format_to(std::back_inserter(text_), "{}", value); }
    void string(std::string_view value) { json::append_string(text_, value); }
    void key(std::string_view value) {
        string(value);
        text_ += ':';
    }
    void begin(bool is_array) { text_ += is_array ? '[' : '{'; }
    void next(std::size_t done) {
        if (done > 0) text_ += ',';
    }
    void end(bool is_array, std::size_t /*count*/) { text_ += is_array ? ']' : '}'; }

    [[nodiscard]] std::size_t size() const { return text_.size(); }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

/// Builds a boost::json::value.
class ValueSink {
  public:
    ValueSink() { stack_.reset(); }
    void null() { stack_.push_null(); }
    void boolean(bool value) { stack_.push_bool(value); }
    void integer(std::int64_t value) { stack_.push_int64(value); }
    void number(double value) { stack_.push_double(value); }
    void string(std::string_view value) {
        bytes_ += value.size();
        stack_.push_string(value);
    }
    void key(std::string_view value) {
        bytes_ += value.size();
        stack_.push_key(value);
    }
    void begin(bool /*is_array*/) {}
    void next(std::size_t /*done*/) {}
    void end(bool is_array, std::size_t count) {
        if (is_array) {
            stack_.push_array(count);
        } else {
            stack_.push_object(count);
        }
    }

    [[nodiscard]] std::size_t size() const { return bytes_; }
    boost::json::value take() { return stack_.release(); }

  private:
    boost::json::value_stack stack_;
    std::size_t bytes_ = 0;
};

/// Carries a Lua value into a sink. A table that holds itself, or one table many times, ends at the
/// limits.
template <class Sink>
class Walk {
  public:
    Walk(lua_State* state, Sink& sink) : state_(state), sink_(sink) {}

    Result<void> value(int index, int depth);

  private:
    Result<void> text(int index, bool is_key);
    Result<void> number(int index);
    Result<void> table(int index, int depth);
    Result<void> items(int index, int depth, lua_Integer count);
    Result<void> members(int index, int depth);
    bool has_names(int index, lua_Integer count);

    lua_State* state_;
    Sink& sink_;
    std::size_t values_ = 0;
};

template <class Sink>
Result<void> Walk<Sink>::value(int index, int depth) {
    if (++values_ > kMostValues || sink_.size() > kMostBytes)
        return fail(ErrorCode::invalid, "the value is too large for JSON");
    switch (lua_type(state_, index)) {
        case LUA_TNIL:
            sink_.null();
            return {};
        case LUA_TBOOLEAN:
            sink_.boolean(lua_toboolean(state_, index) != 0);
            return {};
        case LUA_TNUMBER:
            return number(index);
        case LUA_TSTRING:
            return text(index, false);
        case LUA_TTABLE:
            return table(index, depth);
        default:
            break;
    }
    if (!is_null_mark(state_, index))
        return fail(ErrorCode::invalid,
                    fmt::format("a {} cannot be JSON", luaL_typename(state_, index)));
    sink_.null();
    return {};
}

template <class Sink>
Result<void> Walk<Sink>::text(int index, bool is_key) {
    const std::string_view value = Reader(state_, index).string();
    if (!is_utf8(value)) return fail(ErrorCode::invalid, "text in JSON must be UTF-8");
    if (is_key) {
        sink_.key(value);
    } else {
        sink_.string(value);
    }
    return {};
}

template <class Sink>
Result<void> Walk<Sink>::number(int index) {
    if (lua_isinteger(state_, index) != 0) {
        sink_.integer(lua_tointeger(state_, index));
        return {};
    }
    const double value = lua_tonumber(state_, index);
    if (!std::isfinite(value)) return fail(ErrorCode::invalid, "JSON has no infinite numbers");
    sink_.number(value);
    return {};
}

template <class Sink>
Result<void> Walk<Sink>::table(int index, int depth) {
    if (depth >= kDeepest) return fail(ErrorCode::invalid, "JSON is nested at most 32 deep");
    if (lua_checkstack(state_, 6) == 0) return fail(ErrorCode::invalid, "the value is too deep");
    const auto count = static_cast<lua_Integer>(lua_rawlen(state_, index));
    if (count == 0 && !is_marked_array(state_, index)) return members(index, depth);
    if (has_names(index, count))
        return fail(ErrorCode::invalid, "a table with both items and names cannot be JSON");
    return items(index, depth, count);
}

/// Whether there is a member behind the sequence.
template <class Sink>
bool Walk<Sink>::has_names(int index, lua_Integer count) {
    if (count == 0) {
        lua_pushnil(state_);
    } else {
        lua_pushinteger(state_, count);
    }
    const bool has_more = lua_next(state_, index) != 0;
    if (has_more) lua_pop(state_, 2);
    return has_more;
}

template <class Sink>
Result<void> Walk<Sink>::items(int index, int depth, lua_Integer count) {
    sink_.begin(true);
    for (lua_Integer i = 1; i <= count; ++i) {
        sink_.next(static_cast<std::size_t>(i) - 1);
        lua_rawgeti(state_, index, i);
        const Result<void> done = value(lua_gettop(state_), depth + 1);
        lua_pop(state_, 1);
        if (!done) return done;
    }
    sink_.end(true, static_cast<std::size_t>(count));
    return {};
}

template <class Sink>
Result<void> Walk<Sink>::members(int index, int depth) {
    sink_.begin(false);
    std::size_t count = 0;
    lua_pushnil(state_);
    while (lua_next(state_, index) != 0) {
        const int member = lua_gettop(state_);
        sink_.next(count++);
        Result<void> done = fail(ErrorCode::invalid, "names in a JSON object must be strings");
        if (lua_type(state_, member - 1) == LUA_TSTRING) done = text(member - 1, true);
        if (done) done = value(member, depth + 1);
        lua_settop(state_, member - (done ? 1 : 2));
        if (!done) return done;
    }
    sink_.end(false, count);
    return {};
}

void decode(Call& call) {
    if (call.argument(1).type() != Type::string) call.refuse(1, "a string is expected");
    if (call.argument(2).type() == Type::string) return decode_apart(call);
    Result<void> outcome;
    const std::string_view text = call.argument(1).string();
    call.give([&](Writer& writer) {
        outcome = push_json_text(writer, text);
        if (!outcome) writer.nil();
    });
    if (!outcome) give_decode_error(call, outcome.error());
}

void encode(Call& call) {
    const auto text = json_text(call.argument(1));
    if (!text) return call.give_error(text.error());
    call.give([&](Writer& writer) { writer.string(*text); });
}

void array(Call& call) {
    const Reader table = call.argument(1);
    if (!table.is_table()) call.refuse(1, "a table is expected");
    call.give([&](Writer& writer) {
        lua_pushvalue(writer.state(), table.index());
        mark_array(writer.state());
    });
}

}  // namespace

void give_decode_error(Call& call, const Error& error) {
    call.give([&](Writer& writer) {
        writer.begin_table(0, 2);
        writer.field("code", to_string(error.code));
        writer.field("message", error.message);
    });
}

Result<std::string> json_text(const Reader& value) {
    TextSink sink;
    Walk<TextSink> walk(value.state(), sink);
    if (const auto done = walk.value(value.index(), 0); !done) return fail(done.error());
    return sink.take();
}

Result<boost::json::value> Reader::json() const {
    ValueSink sink;
    Walk<ValueSink> walk(state_, sink);
    if (const auto done = walk.value(index_, 0); !done) return fail(done.error());
    return sink.take();
}

void fill_json(Table& table) {
    table.function("decode", decode);
    table.function("encode", encode);
    table.function("array", array);
    table.value("null", [](Writer& writer) { writer.null(); });
}

}  // namespace calhost::lua
