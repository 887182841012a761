/// Every error is a problem (RFC 9457) that says what happened, and never a secret.
#pragma once

#include <fmt/format.h>

#include "simulation/invariant.h"

namespace calhost::simulation {

class ErrorsAreProblems final : public Invariant {
  public:
    using Invariant::Invariant;

    void called(const Called& call) override {
        const auto& response = call.response;
        if (response.status < 400) return;
        for (const auto& secret : scene_->known.secrets())
            if (response.body.contains(secret))
                return violated("errors are problems: " + call.what + " answers with a secret");
        if (!call.wants_json) return;
        const auto body = json::parse(response.body);
        const bool is_problem =
            response.headers.get("Content-Type").starts_with("application/problem+json") && body &&
            !json::text_of(*body, "detail").empty() && !json::text_of(*body, "code").empty();
        if (!is_problem)
            violated(fmt::format("errors are problems: {} answers {} as \"{}\"", call.what,
                                 response.status, response.body));
    }
};

}  // namespace calhost::simulation
