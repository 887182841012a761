/// The commands of the `calhost` program.
#pragma once

namespace calhost::app {

/// Parses the command line, runs the command, gives the exit status: 0 done, 1 refused or failed
/// (with a sentence on standard error), 2 wrong usage.
int run_program(int argc, char** argv);

}  // namespace calhost::app
