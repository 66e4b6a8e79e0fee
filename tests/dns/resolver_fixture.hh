#pragma once
// Runs a test body with a resolver on one core, and stops the resolver after it.

#include <functional>
#include <utility>
#include <vector>

#include "kurir/dns/resolver.hh"
#include "support/fake_name_server.hh"
#include "support/on_cores.hh"

namespace kurir::dns::test {

inline ResolverOptions options_for(std::vector<io::SocketAddress> servers) {
  ResolverOptions options;
  options.servers = std::move(servers);
  options.timeout = Seconds(10);
  options.first_timeout = Seconds(2);
  return options;
}

using Body = std::function<Task<void>(Resolver&)>;

inline Task<void> run_with(const ResolverOptions& options, const Body& body) {
  Resolver resolver(options);
  co_await body(resolver);
  co_await resolver.stop();
}

inline void with_resolver(const ResolverOptions& options, const Body& body) {
  kurir::test::on_cores(1, [&](CoreIndex) { return run_with(options, body); });
}

inline Deadline soon() { return deadline_in(Seconds(20)); }

inline Task<Answer> ask(Resolver& resolver, std::string_view name,
                        RecordType type = RecordType::a) {
  return resolver.query(*Name::parse(name), type, soon());
}

}  // namespace kurir::dns::test
