/// What `calhost check` looks at beyond the YAML.
#pragma once

#include <optional>
#include <vector>

#include "config/settings.h"

namespace calhost::app {

/// The complaints of the YAML, and those about what it leads to: the installed providers, their
/// sections, every script, the keys, the certificate. Each mistake is told once. It starts nothing
/// and writes nothing.
std::vector<config::Complaint> check_installation(config::Loaded loaded,
                                                  const config::LoadOptions& load);

/// A warning when the certificate has ended or ends within two weeks, an error when it cannot be
/// used; nothing without TLS.
std::optional<config::Complaint> check_certificate(const config::Server& server, Timestamp now);

}  // namespace calhost::app
