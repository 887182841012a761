/// Host functions as Lua sees them. Nobody outside the room includes this.
#pragma once

#include <stdexcept>
#include <string>

#include "lua/core.h"

namespace calhost::lua {

/// Thrown by Call::refuse; becomes the author's error at their line.
class Refusal : public std::runtime_error {
  public:
    Refusal(int index, std::string_view what) : runtime_error(std::string(what)), index_(index) {}
    [[nodiscard]] int index() const { return index_; }

  private:
    int index_;
};

/// The call on top of a Lua thread, running or parked.
class HostCall final : public Call {
  public:
    /// Keeps one slot above the arguments, for those that are not there.
    explicit HostCall(lua_State* state, bool may_give);
    [[nodiscard]] int argument_count() const override { return arguments_; }
    [[nodiscard]] Reader argument(int index) const override;
    void give(const Push& push) override;
    void give_error(const Error& error) override;
    [[noreturn]] void refuse(int index, std::string_view what) override;

    [[nodiscard]] int result_count() const { return results_; }

  private:
    lua_State* state_;
    int arguments_;
    int results_ = 0;
    bool may_give_;
};

/// Pushes what `push` writes; refuses a function that writes none or several values.
void push_one(lua_State* state, const Push& push);

/// What an author is told about a refusal: function, position as they count it, reason.
std::string describe(lua_State* state, const HostEntry& entry, const Refusal& refusal);

/// Logs a host function's own mistake; what its caller is told.
std::string describe_bug(const Core& core, const HostEntry& entry, const std::exception& bug);

/// Fills the table on top of the main thread's registry slot `anchor`.
class TableBuilder final : public Table {
  public:
    TableBuilder(Core& core, std::string name, int anchor)
        : core_(core), name_(std::move(name)), anchor_(anchor) {}
    void function(std::string_view name, HostFunction function) override;
    void waiting(std::string_view name, WaitingFunction function) override;
    void value(std::string_view name, const Push& push) override;

  private:
    void add(std::string_view name, HostFunction at_once, WaitingFunction waiting);

    Core& core_;
    std::string name_;
    int anchor_;
};

}  // namespace calhost::lua
