/// What `calhost check` looks at beyond the YAML.
#pragma once

#include <vector>

#include "config/settings.h"

namespace calhost::app {

/// Complaints about what `settings` leads to: the installed providers, their sections, every
/// script, the keys. It starts nothing and writes nothing.
std::vector<config::Complaint> check_installation(config::Settings settings,
                                                  const config::LoadOptions& load);

}  // namespace calhost::app
