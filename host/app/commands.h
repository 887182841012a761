/// The commands of the `calhost` program.
#pragma once

namespace calhost::app {

/// What `serve` ends with when it is the configuration that keeps it from starting (EX_CONFIG of
/// sysexits.h); the systemd unit does not start it again then.
inline constexpr int kBadConfiguration = 78;

/// Parses the command line, runs the command, gives the exit status: 0 done, 1 refused or failed
/// (with a sentence on standard error), `kBadConfiguration`, another for wrong usage.
int run_program(int argc, char** argv);

}  // namespace calhost::app
