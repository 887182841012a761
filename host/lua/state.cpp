#include "lua/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/timeout.h"
#include "lua/bridge.h"
#include "lua/budget.h"
#include "lua/library.h"
#include "lua/run.h"

namespace calhost::lua {
namespace {

constexpr std::size_t kLongestSource = 512U << 10U;

/// A kept value's slot in the registry; gives it back while there is a registry.
std::shared_ptr<int> hold(const std::shared_ptr<Core>& core, int slot) {
    if (slot == LUA_NOREF || slot == LUA_REFNIL) return nullptr;
    const std::weak_ptr<Core> weak = core;
    return {new int(slot), [weak](const int* held) {
                const auto alive = weak.lock();
                if (alive && alive->is_open()) luaL_unref(alive->main, LUA_REGISTRYINDEX, *held);
                delete held;
            }};
}

/// Keeps the value on top of the main thread.
int keep_top(Core& core) {
    int slot = LUA_NOREF;
    const Entered uncapped(core, nullptr);
    const int status = protect(core.main, 1, 0, [&](lua_State* state) {
        slot = luaL_ref(state, LUA_REGISTRYINDEX);
        return 0;
    });
    if (status != LUA_OK) throw std::bad_alloc();
    return slot;
}

/// Carries out a waiting function; what it throws becomes what the thread raises.
Task<Result<Push>> attempt(Run& run, const HostEntry& entry, HostCall& call) {
    Running& running = run.running();
    try {
        co_return co_await entry.waiting(call);
    } catch (const Refusal& refusal) {
        running.complaint = describe(running.thread, entry, refusal);
    } catch (const std::exception& bug) {
        running.complaint = describe_bug(run.core(), entry, bug);
    }
    co_return fail(ErrorCode::cancelled, "the operation did not end");
}

/// Awaits the parked function and leaves its answer, or what to raise, in `running`.
Task<> answer_parked(Run& run) {
    Running& running = run.running();
    Core& core = run.core();
    // Holds the function itself too: the state may close while it waits.
    const std::shared_ptr<HostEntry> entry = std::exchange(running.parked, nullptr);
    const int height = lua_gettop(running.thread);
    HostCall call(running.thread, false);
    if (core.options.timers == nullptr) {
        running.answer = co_await attempt(run, *entry, call);
    } else {
        const auto left = std::max(running.deadline - core.clock.monotonic(), {});
        // One more, so that the call is over its deadline and not just at it.
        const auto limit = std::chrono::ceil<milliseconds>(left) + milliseconds{1};
        running.answer =
            co_await with_timeout(*core.options.timers, limit, attempt(run, *entry, call));
    }
    if (core.is_open()) lua_settop(running.thread, height);
}

Task<std::expected<void, Failure>> drive(std::shared_ptr<Core> core, std::shared_ptr<int> function,
                                         std::vector<Push> arguments, Budget budget,
                                         Run::Read read) {
    Run run(core, budget, true);
    Run::Step step = run.start(*function, arguments);
    while (step == Run::Step::waits || step == Run::Step::turn_over) {
        if (step == Run::Step::waits) co_await answer_parked(run);
        // Others have their turn; a cancelled caller goes no further than this.
        co_await boost::asio::post(co_await boost::asio::this_coro::executor, use_task);
        if (!core->is_open())
            co_return std::unexpected(
                Failure{.error = {ErrorCode::cancelled, "the plugin was unloaded"}});
        step = run.go_on();
    }
    if (step == Run::Step::failed) co_return std::unexpected(run.failure());
    co_return run.finish(read);
}

class StateImpl final : public State {
  public:
    explicit StateImpl(std::shared_ptr<Core> core) : core_(std::move(core)) {}
    ~StateImpl() override { core_->close(); }

    void add_module(std::string_view name, const std::function<void(Table&)>& fill) override {
        build(name, fill, [&](lua_State* state) { set_module(state, name); });
    }

    void add_global(std::string_view name, const std::function<void(Table&)>& fill) override {
        build(name, fill, [&](lua_State* state) { set_global(state, name); });
    }

    Ref make_table(const std::function<void(Table&)>& fill) override {
        int slot = LUA_NOREF;
        build("", fill, [&](lua_State* state) { slot = luaL_ref(state, LUA_REGISTRYINDEX); });
        return make_ref(hold(core_, slot));
    }

    void push(Writer& writer, const Ref& ref) override {
        if (!ref.is_set()) return writer.nil();
        lua_rawgeti(writer.state(), LUA_REGISTRYINDEX, *value_of(ref));
    }

    std::expected<Ref, Failure> load(std::string_view chunk_name, std::string_view source) override;

    Ref keep(const Reader& reader) override {
        lua_checkstack(reader.state(), 1);
        lua_checkstack(core_->main, 1);
        lua_pushvalue(reader.state(), reader.index());
        if (reader.state() != core_->main) lua_xmove(reader.state(), core_->main, 1);
        return make_ref(hold(core_, keep_top(*core_)));
    }

    Ref member(const Ref& table, std::string_view name) override {
        Ref found;
        look(table, [&](const Reader& reader) {
            reader.with_field(name, [&](const Reader& value) {
                if (!value.is_nil()) found = keep(value);
            });
        });
        return found;
    }

    void look(const Ref& ref, const std::function<void(const Reader&)>& use) override {
        const Entered uncapped(*core_, nullptr);
        const StackGuard guard(core_->main);
        lua_checkstack(core_->main, 1);
        if (ref.is_set()) {
            lua_rawgeti(core_->main, LUA_REGISTRYINDEX, *value_of(ref));
        } else {
            lua_pushnil(core_->main);
        }
        use(Reader(core_->main, -1));
    }

    Task<std::expected<void, Failure>> call(const Ref& function, std::vector<Push> arguments,
                                            Budget budget, Run::Read read) override {
        return drive(core_, value_of(function), std::move(arguments), budget, std::move(read));
    }

    std::expected<void, Failure> call_now(const Ref& function, std::vector<Push> arguments,
                                          Budget budget, const Run::Read& read) override {
        Run run(core_, budget, false);
        if (run.start(*value_of(function), arguments) != Run::Step::finished)
            return std::unexpected(run.failure());
        return run.finish(read);
    }

    [[nodiscard]] std::size_t memory_used() const override { return core_->memory.used; }
    [[nodiscard]] const std::string& name() const override { return core_->options.name; }

  private:
    /// Builds a frozen table and leaves it to `place`, which pops it.
    void build(std::string_view name, const std::function<void(Table&)>& fill,
               const std::function<void(lua_State*)>& place) {
        const Entered uncapped(*core_, nullptr);
        lua_State* main = core_->main;
        protect(main, 0, 1, [](lua_State* state) {
            lua_newtable(state);
            return 1;
        });
        const std::shared_ptr<int> table = hold(core_, keep_top(*core_));
        TableBuilder builder(*core_, std::string(name), *table);
        fill(builder);
        const int status = protect(main, 0, 0, [&](lua_State* state) {
            lua_rawgeti(state, LUA_REGISTRYINDEX, *table);
            freeze(state, name);
            place(state);
            return 0;
        });
        if (status == LUA_OK) return;
        lua_pop(main, 1);
        throw std::bad_alloc();
    }

    /// Compiles; the chunk's slot, or what the parser says.
    std::expected<int, Failure> compile(std::string_view chunk_name, std::string_view source);

    std::shared_ptr<Core> core_;
};

/// True when `word` stands in `text` as a word of its own.
bool has_word(std::string_view text, std::string_view word) {
    const auto is_name = [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    };
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const bool begins = at == 0 || !is_name(text[at - 1]);
        const std::size_t end = at + word.size();
        if (begins && (end == text.size() || !is_name(text[end]))) return true;
    }
    return false;
}

std::expected<int, Failure> StateImpl::compile(std::string_view chunk_name,
                                               std::string_view source) {
    const auto refuse = [&](std::string_view why) {
        return std::unexpected(make_bug(*core_, fmt::format("{}: {}", chunk_name, why)));
    };
    if (source.size() > kLongestSource) return refuse("the file is larger than 512 KiB");
    // Lua 5.4.4 generates wrong code for some uses of it, and it would lead around the globals.
    if (has_word(source, "_ENV")) return refuse("_ENV is not part of the language here");
    Running running{.budget = core_->options.load_budget, .thread = core_->main};
    running.budget.slice = running.budget.instructions;
    running.deadline = core_->clock.monotonic() + running.budget.deadline;
    int slot = LUA_NOREF;
    int parsed = LUA_OK;
    std::string complaint;
    const std::string name = fmt::format("@{}", chunk_name);
    const Entered entered(*core_, &running);
    const int status = protect(core_->main, 0, 0, [&](lua_State* state) {
        parsed = luaL_loadbufferx(state, source.data(), source.size(), name.c_str(), "t");
        if (parsed != LUA_OK) {
            complaint = Reader(state, -1).string();
        } else {
            slot = luaL_ref(state, LUA_REGISTRYINDEX);
        }
        return 0;
    });
    lua_sethook(core_->main, nullptr, 0, 0);
    if (status != LUA_OK) lua_pop(core_->main, 1);
    if (status == LUA_OK && parsed == LUA_OK) return slot;
    Failure failure = make_bug(*core_, std::move(complaint));
    if (status == LUA_ERRMEM || parsed == LUA_ERRMEM) failure.overrun = Overrun::memory;
    return std::unexpected(std::move(failure));
}

std::expected<Ref, Failure> StateImpl::load(std::string_view chunk_name, std::string_view source) {
    const auto chunk = compile(chunk_name, source);
    if (!chunk) return std::unexpected(chunk.error());
    const std::shared_ptr<int> held = hold(core_, *chunk);
    Run run(core_, core_->options.load_budget, false);
    if (run.start(*held, {}) != Run::Step::finished) return std::unexpected(run.failure());
    return make_ref(hold(core_, run.keep_result()));
}

}  // namespace

Ref State::make_ref(std::shared_ptr<int> value) {
    Ref ref;
    ref.value_ = std::move(value);
    return ref;
}

Result<std::unique_ptr<State>> State::create(StateOptions options, const Clock& clock) {
    auto core = std::make_shared<Core>(std::move(options), clock);
    if (!core->open())
        return fail(ErrorCode::unavailable,
                    fmt::format("no memory for the plugin {}", core->options.name));
    return std::make_unique<StateImpl>(std::move(core));
}

}  // namespace calhost::lua
