#include "simulation/trace.h"

#include <fmt/format.h>

namespace calhost::simulation {

void Trace::add(std::string_view what) {
    lines_.push_back(fmt::format("{} {}\n", format_rfc3339(clock_->now()), what));
    for (const char c : lines_.back())
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
}

std::string Trace::tail(std::size_t count) const {
    std::string text;
    for (auto i = lines_.size() - std::min(count, lines_.size()); i < lines_.size(); ++i)
        text += lines_[i];
    return text;
}

}  // namespace calhost::simulation
