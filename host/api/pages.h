/// The few pages that the host itself shows: landing, error, and the question before an unbound
/// grant.
#pragma once

#include <string>

#include "api/context.h"

namespace calhost::api {

/// After connecting, for a host without a frontend of its own; `error` is the word of the query.
net::Response landing_page(const net::Request& request);
/// A problem for a person: the sentence, and what to do.
net::Response problem_page(int status, std::string_view title, std::string_view detail);
/// A page of the host's look; `main` is HTML that the caller has escaped.
net::Response plain_page(std::string_view title, std::string_view main);
/// Names both accounts and asks once.
net::Response confirmation_page(const ApiOptions& options,
                                const connect::NeedsConfirmation& question,
                                std::string_view user_email);

}  // namespace calhost::api
