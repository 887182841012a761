#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <mutex>
#include <span>

#include "base/log_fields.h"

namespace calhost::log {
namespace {

struct State {
    std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>(
        "calhost", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    Format format = Format::text;
    std::mutex mutex;
    std::function<void(std::string_view)> sink;
    std::atomic<Echo> echo = Echo::on;

    State() { logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc); }
};

State& state() {
    static State instance;
    return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                spdlog::level::err};
    return levels.at(static_cast<std::size_t>(level));
}

/// As JSON. Boost writes 0.5 as 5E-1, which is right and hard to read.
std::string json_text(const Value& value) {
    if (const auto* number = std::get_if<double>(&value.get()))
        return fmt::format("{:.3f}", *number);
    return std::visit([](const auto& v) { return boost::json::serialize(boost::json::value(v)); },
                      value.get());
}

std::string json_text(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

/// JSON members without the opening brace; spdlog's pattern puts time and level before them.
std::string as_json(std::string_view message, std::span<const Field> fields) {
    std::string line = "\"message\":" + json_text(message);
    for (const auto& field : fields)
        line += fmt::format(",{}:{}", json_text(field.name), json_text(field.value));
    return line + "}";
}

/// JSON's escapes keep one entry on one line in the text form as well.
std::string as_text(std::string_view message, std::span<const Field> fields) {
    const auto quoted = json_text(message);
    std::string line = quoted.substr(1, quoted.size() - 2);
    for (const auto& field : fields)
        line += fmt::format(" {}={}", field.name, json_text(field.value));
    return line;
}

}  // namespace

void configure(Level level, Format format) {
    auto& log = state();
    log.format = format;
    log.logger->set_level(to_spdlog(level));
    if (format == Format::json)
        log.logger->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v",
                                spdlog::pattern_time_type::utc);
}

bool is_enabled(Level level) { return state().logger->should_log(to_spdlog(level)); }

void write(Level level, std::string_view message, Fields fields) {
    write_fields(level, message, {fields.begin(), fields.size()});
}

void write_fields(Level level, std::string_view message, std::span<const Field> fields) {
    auto& log = state();
    if (!log.logger->should_log(to_spdlog(level))) return;
    const auto line =
        log.format == Format::json ? as_json(message, fields) : as_text(message, fields);
    if (log.echo == Echo::on) log.logger->log(to_spdlog(level), "{}", line);
    const std::scoped_lock lock(log.mutex);
    if (log.sink) log.sink(line);
}

void set_sink(std::function<void(std::string_view line)> sink, Echo echo) {
    auto& log = state();
    const std::scoped_lock lock(log.mutex);
    log.echo = sink ? echo : Echo::on;
    log.sink = std::move(sink);
}

bool parse_level(std::string_view word, Level& level) {
    constexpr std::array words{"debug", "info", "warning", "error"};
    const auto* found = std::ranges::find(words, word);
    if (found == words.end()) return false;
    level = static_cast<Level>(found - words.begin());
    return true;
}

}  // namespace calhost::log
