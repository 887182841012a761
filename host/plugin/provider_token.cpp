#include "plugin/provider.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {

std::optional<ErrorCode> Provider::classify_token_error(const net::ClientResponse& answer) {
    const auto function = state_->member(table_, "classify_token_error");
    if (!function.is_set() || !breakers_.admit("")) return std::nullopt;
    std::vector<lua::Push> arguments{[&answer](lua::Writer& writer) {
        writer.begin_table(0, 2);
        writer.field("status", answer.status);
        writer.field("body", answer.body);
    }};
    std::optional<ErrorCode> code;
    const auto outcome =
        state_->call_now(function, std::move(arguments), kCallBudget,
                         [&](std::span<const lua::Reader> results) -> Result<void> {
                             if (!results.empty()) code = parse_error_code(results[0].string());
                             return {};
                         });
    breakers_.report("", outcome ? lua::Overrun::none : outcome.error().overrun);
    if (!outcome) report(outcome.error(), "classify_token_error", "");
    return code;
}

}  // namespace calhost::plugin
