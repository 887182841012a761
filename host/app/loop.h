/// Running a loop first for one task and later for good.
#pragma once

#include <boost/asio/io_context.hpp>

#include "base/result.h"
#include "base/task.h"

namespace calhost::app {

/// Begins a task. What it throws ends the program.
void spawn(boost::asio::io_context& loop, Task<> task);

/// Runs `task` to its end on this thread and leaves the loop stopped. Other threads may let go of
/// what the task asked them after this has returned.
Result<void> run_alone(boost::asio::io_context& loop, Task<Result<void>> task);

/// Runs until somebody stops the loop. Call it when the loop has work that lasts: one without work
/// stops itself, also when another thread lets go of the last piece after `run_alone`, which is why
/// it is only here that the loop may go again.
void run_for_good(boost::asio::io_context& loop);

}  // namespace calhost::app
