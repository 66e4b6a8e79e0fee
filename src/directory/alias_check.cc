#include "alias_check.hh"

#include <optional>
#include <vector>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/directory/address.hh"
#include "sqlite.hh"

namespace kurir::directory {
namespace {

enum class Kind : std::uint8_t { nothing, remote, user, alias };
struct Destination {
  Kind kind = Kind::nothing;
  std::string address;  // of the alias or user
};

Result<Destination> find_exactly(sqlite3* connection, std::string_view local_part,
                                 std::string_view domain) {
  const std::string address = lower_case(local_part) + '@' + std::string(domain);
  const auto alias =
      has_row(connection, "SELECT 1 FROM alias WHERE address = ?", std::string_view(address));
  if (!alias) return std::unexpected(alias.error());
  if (*alias) return Destination{Kind::alias, address};
  const auto user =
      has_row(connection, "SELECT 1 FROM user WHERE address = ?", std::string_view(address));
  if (!user) return std::unexpected(user.error());
  return *user ? Destination{Kind::user, address} : Destination{};
}

Result<Destination> find_postmaster(sqlite3* connection) {
  const auto any = has_row(connection, "SELECT 1 FROM user LIMIT 1");
  if (!any) return std::unexpected(any.error());
  return *any ? Destination{Kind::user, {}} : Destination{};
}

Result<Destination> find(sqlite3* connection, std::string_view target) {
  const auto parts = split_address(target);
  KURIR_ASSERT(parts.has_value());
  const auto domain = local_domain(connection, parts->domain);
  if (!domain) return std::unexpected(domain.error());
  if (domain->empty()) return Destination{Kind::remote, {}};
  const std::string_view base = parts->local_part.substr(0, parts->local_part.find('+'));
  for (const std::string_view local_part : {parts->local_part, base}) {
    if (local_part.empty()) continue;
    auto found = find_exactly(connection, local_part, *domain);
    if (!found || found->kind != Kind::nothing) return found;
  }
  if (equal_ignoring_case(base, "postmaster")) {
    auto found = find_postmaster(connection);
    if (!found || found->kind != Kind::nothing) return found;
  }
  return find_exactly(connection, "", *domain);
}

Result<std::vector<std::string>> targets_of(sqlite3* connection, std::string_view address) {
  std::vector<std::string> targets;
  const auto read = for_each_row(
      connection,
      [&](const Statement& row) -> Result<void> {
        targets.push_back(row.text(0));
        return {};
      },
      "SELECT target FROM alias WHERE address = ?", address);
  if (!read) return std::unexpected(read.error());
  return targets;
}

// Follows an alias down; `open` is the way there.
class Walk {
 public:
  explicit Walk(sqlite3* connection) : connection_(connection) {}

  Result<void> visit(const std::string& alias) {
    for (const std::string& passed : open_)
      if (passed == alias) return fail(Errc::refused, Origin::directory);
    if (open_.size() == limits::alias_depth_max) return fail(Errc::refused, Origin::directory);
    open_.push_back(alias);
    const auto targets = targets_of(connection_, alias);
    if (!targets) return std::unexpected(targets.error());
    for (const std::string& target : *targets) {
      const auto done = visit_target(alias, target);
      if (!done) return done;
    }
    open_.pop_back();
    return {};
  }

 private:
  Result<void> visit_target(const std::string& alias, const std::string& target) {
    if (++visits_ > limits::alias_visits_max) return fail(Errc::refused, Origin::directory);
    const auto found = find(connection_, target);
    if (!found) return std::unexpected(found.error());
    if (found->kind == Kind::nothing) return fail(Errc::not_found, Origin::directory);
    if (found->kind != Kind::alias) return {};
    if (found->address != alias) return visit(found->address);
    // Its own name: the user's mailbox, where there is one.
    const auto user =
        has_row(connection_, "SELECT 1 FROM user WHERE address = ?", std::string_view(alias));
    if (!user) return std::unexpected(user.error());
    return *user ? Result<void>() : fail(Errc::refused, Origin::directory);
  }

  sqlite3* connection_;
  std::vector<std::string> open_;
  std::size_t visits_ = 0;
};

}  // namespace

std::string target_key(std::string_view local_part, std::string_view domain) {
  return lower_case(domain) + '@' + lower_case(local_part);
}

Result<std::string> local_domain(sqlite3* connection, std::string_view domain) {
  const std::string name = lower_case(domain);
  auto statement = Statement::prepare(connection,
                                      "SELECT name FROM domain WHERE name = ?1 "
                                      "UNION ALL SELECT domain FROM domain_alias WHERE name = ?1",
                                      std::string_view(name));
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->text(0) : std::string();
}

Result<void> check_alias(sqlite3* connection, std::string_view address) {
  return Walk(connection).visit(std::string(address));
}

Result<void> check_removal(sqlite3* connection, std::string_view address) {
  const auto parts = split_address(address);
  KURIR_ASSERT(parts.has_value());
  const std::string exact = target_key(parts->local_part, parts->domain);
  // With a folder: from "domain@user+" up to what follows every such key. A catch-all may be what
  // any target in its domain means.
  const bool catch_all = parts->local_part.empty();
  const std::string from = catch_all ? exact : exact + '+';
  const std::string below = catch_all ? exact + '\x7f' : exact + ',';
  std::vector<std::string> targets;
  const auto read = for_each_row(
      connection,
      [&](const Statement& row) -> Result<void> {
        targets.push_back(row.text(0));
        return {};
      },
      "SELECT DISTINCT target FROM alias WHERE target_key = ?1 "
      "OR (target_key >= ?2 AND target_key < ?3)",
      std::string_view(exact), std::string_view(from), std::string_view(below));
  if (!read) return read;
  for (const std::string& target : targets) {
    const auto found = find(connection, target);
    if (!found) return std::unexpected(found.error());
    if (found->kind == Kind::nothing) return fail(Errc::refused, Origin::directory);
  }
  return {};
}

}  // namespace kurir::directory
