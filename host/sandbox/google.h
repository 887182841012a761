/// A simulated Google: OAuth and Calendar v3 as an authoritative state machine. What it answers is
/// what the real one documents; what it is told to break it breaks.
#pragma once

#include "sandbox/provider.h"

namespace calhost::sandbox {

using GoogleOptions = Options;

/// Paths are below the mount: /o/oauth2/v2/auth, /token, /revoke, /v1/userinfo, /calendar/v3/….
/// *Thread*: as Provider.
class Google final : public Provider {
  public:
    Google(GoogleOptions options, const Clock& clock, Timers& timers, Random& random);
};

}  // namespace calhost::sandbox
