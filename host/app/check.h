/// What `calhost check` looks at beyond the YAML.
#pragma once

#include <optional>
#include <vector>

#include "config/settings.h"

namespace calhost::app {

/// Complaints about what `settings` leads to: the installed providers, their sections, every
/// script, the keys. It starts nothing and writes nothing.
std::vector<config::Complaint> check_installation(config::Settings settings,
                                                  const config::LoadOptions& load);

/// A warning when the certificate has ended or ends within two weeks, an error when it cannot be
/// used; nothing without TLS.
std::optional<config::Complaint> check_certificate(const config::Server& server, Timestamp now);

}  // namespace calhost::app
