/// The people of a world, and what the host has promised them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "net/message.h"

namespace calhost::simulation {

/// A connection of a person's under one label, as the host's answers promised it.
struct Slot {
    enum class Promise {
        unknown,  ///< asked, and no answer yet: either is fine
        absent,   ///< disconnected, or never connected
        present,  ///< connected=success was answered
    };
    std::string label;
    Promise promise = Promise::absent;
    std::string account;   ///< e-mail at the provider, if present
    bool is_busy = false;  ///< a connect or disconnect is on its way
};

struct Person {
    std::string name, email, password;
    std::vector<std::string> accounts;  ///< e-mails at the provider
    std::vector<Slot> slots;
    bool is_registered = false;  ///< the host said so
    bool is_signing_in = false;
    net::Headers credentials;  ///< empty: not signed in
    int running = 0;           ///< calls on their way
};

/// A booking of the first two people, as the application knows it.
struct Lesson {
    std::string id;
    std::int64_t last_version = 0;  ///< that was sent
    std::int64_t promised = 0;      ///< the newest that was acknowledged
};

struct People {
    std::vector<Person> all;
    Person shop;  ///< the application, which has a key
    std::vector<Lesson> lessons;
    /// Numbers of grants whose connection was disconnected, acknowledged.
    std::set<std::size_t> given_back;
    /// Ids of connections whose sealed values somebody swapped on the disk.
    std::set<std::string> tampered;
};

}  // namespace calhost::simulation
