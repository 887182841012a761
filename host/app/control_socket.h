/// Commands that change data talk to the running host: one JSON line there, one back, over a socket
/// in the data folder (mode 0600).
#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>

#include "base/result.h"
#include "base/task.h"

namespace calhost::app {

/// *Thread*: the worker's whose executor it has.
class ControlSocket {
  public:
    using Command =
        std::function<Task<Result<boost::json::object>>(const boost::json::object& arguments)>;

    ControlSocket(Executor executor, std::filesystem::path path);
    ~ControlSocket();
    void on(std::string name, Command command);
    /// *Errors*: unavailable, when the socket cannot be made.
    Result<void> open();
    /// Accepts until `close`.
    Task<> serve();
    void close();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

/// Asks the running host. *Errors*: not_found (none runs), and what the command answered.
Result<boost::json::object> ask_host(const std::filesystem::path& path,
                                     const boost::json::object& request);

}  // namespace calhost::app
