#pragma once
// What the imports of users and of aliases have in common.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "kurir/server/directory_import.hh"
#include "location.hh"

namespace kurir::cli {

// nullopt: it cannot be read, which has been told.
std::optional<std::string> read_import(const std::string& file);
int tell_import_fault(const std::string& file, const server::ImportFault& fault);
// `name`: of the argument that takes the list. Each part is taken whole or not at all.
int import_in_parts(const Location& location, const std::string& command, const std::string& name,
                    const nlohmann::json& all);

}  // namespace kurir::cli
