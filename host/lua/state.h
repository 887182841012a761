/// One Lua 5.4 state: bounded library, memory cap, budgets, and functions that wait without
/// blocking. This room knows no calendars, no HTTP and no plugins.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "lua/value.h"

namespace calhost::lua {

/// What one call may use.
struct Budget {
    std::uint64_t instructions = 50'000'000;
    /// After each slice the call lets the worker's other coroutines run.
    std::uint64_t slice = 50'000;
    milliseconds deadline{60'000};  ///< of the call, waiting included
    /// Steps of all pattern matching of one library call together.
    std::uint64_t pattern_steps = 1'000'000;
};

enum class Overrun { none, instructions, memory, deadline };

/// How a call ended when it did not return values.
struct Failure {
    /// An expected failure (`nil, {code=…}`) has its own code; a bug or an overrun has
    /// invalid_response and a message without the text of the error.
    Error error;
    Overrun overrun = Overrun::none;
    bool is_bug = false;    ///< `error()` was raised, or a value of the wrong kind came back
    std::string traceback;  ///< for the log, with plugin and line; never for an answer
};

/// The arguments of a host function that Lua called, and its results.
class Call {
  public:
    virtual ~Call() = default;
    [[nodiscard]] virtual int argument_count() const = 0;
    /// Argument `index` from 1; nil where there is none.
    [[nodiscard]] virtual Reader argument(int index) const = 0;
    /// Pushes a result; several calls give several results.
    virtual void give(const Push& push) = 0;
    /// Results `nil, {code, message, retry_after}`.
    virtual void give_error(const Error& error) = 0;
    /// Raises an author's mistake: bad argument #index.
    [[noreturn]] virtual void refuse(int index, std::string_view what) = 0;
};

/// Answers at once.
using HostFunction = std::function<void(Call&)>;
/// Waits: reads its arguments from `call` before the first co_await, and gives what to push.
/// `call` is gone after that. Errors become `nil, err`.
using WaitingFunction = std::function<Task<Result<Push>>(Call& call)>;

/// Functions and values of one module or object.
class Table {
  public:
    virtual ~Table() = default;
    virtual void function(std::string_view name, HostFunction function) = 0;
    virtual void waiting(std::string_view name, WaitingFunction function) = 0;
    virtual void value(std::string_view name, const Push& push) = 0;
};

struct StateOptions {
    std::string name;  ///< the plugin's, for messages and chunk names
    std::size_t memory_bytes = 64U << 20U;
    Budget load_budget{.instructions = 5'000'000, .deadline = milliseconds{2'000}};
    /// Ends an operation that waits beyond its call's deadline; without it the deadline is seen
    /// when the operation ends. *Ownership*: outlives the state.
    Timers* timers = nullptr;
};

/// A value that outlives the call: a function or a table. Dropped with the state at the latest.
class Ref {
  public:
    Ref() = default;
    [[nodiscard]] bool is_set() const { return value_ != nullptr; }

  private:
    friend class State;
    std::shared_ptr<int> value_;
};

/// *Thread*: one worker's. *Ownership*: its functions may hold references to what outlives it.
class State {
  public:
    /// *Errors*: unavailable, when there is no memory for it.
    static Result<std::unique_ptr<State>> create(StateOptions options, const Clock& clock);
    virtual ~State() = default;

    /// Makes `require(name)` give a table of host functions. Modules are frozen: scripts cannot
    /// change them for each other.
    virtual void add_module(std::string_view name, const std::function<void(Table&)>& fill) = 0;
    /// A global object with methods, such as `rule`.
    virtual void add_global(std::string_view name, const std::function<void(Table&)>& fill) = 0;
    /// An object for arguments (`ctx.http`): made once, pushed by `push`.
    virtual Ref make_table(const std::function<void(Table&)>& fill) = 0;
    virtual void push(Writer& writer, const Ref& ref) = 0;

    /// Runs a chunk (text only) and keeps what it returns. `chunk_name` is what messages show.
    virtual std::expected<Ref, Failure> load(std::string_view chunk_name,
                                             std::string_view source) = 0;

    /// Keeps an argument or a member beyond the call.
    virtual Ref keep(const Reader& reader) = 0;
    /// A member of a kept table; unset when it is nil.
    virtual Ref member(const Ref& table, std::string_view name) = 0;
    /// Looks into a kept value.
    virtual void look(const Ref& ref, const std::function<void(const Reader&)>& use) = 0;

    /// Calls a kept function as a coroutine: it may wait. `read` sees the results as a list; what
    /// it returns as an error is the plugin's fault (wrong kind of value). A result `nil, {code=…}`
    /// becomes that Error without `read` being called; `nil` alone reaches `read`. *Cancels*: with
    /// the calling coroutine; the Lua thread is dropped.
    virtual Task<std::expected<void, Failure>> call(
        const Ref& function, std::vector<Push> arguments, Budget budget,
        std::function<Result<void>(std::span<const Reader>)> read) = 0;
    /// The same for a function that must not wait (rules); a waiting function raises an error.
    virtual std::expected<void, Failure> call_now(
        const Ref& function, std::vector<Push> arguments, Budget budget,
        const std::function<Result<void>(std::span<const Reader>)>& read) = 0;

    [[nodiscard]] virtual std::size_t memory_used() const = 0;
    [[nodiscard]] virtual const std::string& name() const = 0;

  protected:
    static Ref make_ref(std::shared_ptr<int> value);
    static const std::shared_ptr<int>& value_of(const Ref& ref) { return ref.value_; }
};

}  // namespace calhost::lua
