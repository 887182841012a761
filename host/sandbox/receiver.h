/// Where a simulated provider may send notifications.
#pragma once

#include <string_view>

namespace calhost::sandbox {

/// https, or plain http to this machine, which only a sandbox may allow.
bool is_receiver(std::string_view address);

}  // namespace calhost::sandbox
