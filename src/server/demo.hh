#pragma once
// The demo: a domain with two users, whose passwords are told. Private to server/.

#include <string>
#include <utility>
#include <vector>

#include "kurir/base/result.hh"
#include "kurir/directory/database.hh"
#include "kurir/server/configuration.hh"

namespace kurir::server {

struct DemoUser {
  std::string name, password;
};

// Makes example.test with alice and bob where they are missing. Passwords are those of the last
// start, or new ones. A demo.json of the last start is taken away: its ports are not true any more.
// Blocking.
Result<std::vector<DemoUser>> prepare_demo(directory::Database& database, const std::string& data);

// demo.json (mode 0600), once every listener is ready. Blocking.
Result<void> write_demo_file(const std::string& data, const Configuration::Listen& listening,
                             const std::vector<DemoUser>& users);

// What to try, for the terminal.
std::string demo_greeting(const Configuration::Listen& listening,
                          const std::vector<DemoUser>& users, const std::string& data);

}  // namespace kurir::server
