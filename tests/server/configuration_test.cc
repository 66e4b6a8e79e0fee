#include "kurir/server/configuration.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace kurir::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<std::string> faults_of(std::string_view toml,
                                   const std::vector<std::string>& settings = {}) {
  std::vector<std::string> messages;
  const auto parsed = parse_configuration(toml, "k.toml", settings);
  if (!parsed)
    for (const ConfigurationFault& fault : parsed.error()) messages.push_back(fault.message());
  return messages;
}

TEST(Configuration, an_empty_file_gives_the_defaults) {
  const auto c = parse_configuration("", "kurir.toml", {}).value();
  EXPECT_EQ(c.data, "kurir-data");
  EXPECT_EQ(c.listen.smtp.at(0).text(), "0.0.0.0:25");
  EXPECT_EQ(c.listen.smtp.at(1).text(), "[::]:25");
  EXPECT_EQ(c.queue.max_age, 120h);
  EXPECT_EQ(c.store.durability, store::Durability::commit);
  EXPECT_FALSE(c.auth.allow_plaintext);
}

TEST(Configuration, every_type_of_value_is_read) {
  const auto c = parse_configuration(R"(
data = "mail"
cores = 4
hostname = "Mail.Example.org"
[listen]
smtp = ["127.0.0.1:2525", "[::1]:2525"]
imap = "127.0.0.1:143"
pop3 = []
[smtp]
message_size_max = "10MB"
data_timeout = "1h30m"
[dns]
servers = ["127.0.0.1:5300", "[::1]:53"]
timeout = "3s"
[store]
durability = "none"
sync = "direct"
segment_size = 16777216
[auth]
allow_plaintext = true
[tls]
certificates = ["one.pem", "/etc/two.pem"]
private_keys = ["one.key", "/etc/two.key"]
minimum_version = "1.3"
client_certificates = "requested"
client_ca_file = "clients.pem"
[relay]
certificate = "relay.pem"
)",
                                     "/etc/kurir/kurir.toml", {})
                     .value();
  EXPECT_EQ(c.data, "/etc/kurir/mail");
  EXPECT_EQ(c.cores, 4u);
  EXPECT_EQ(c.hostname, "Mail.Example.org");
  EXPECT_EQ(c.listen.smtp.size(), 2u);
  EXPECT_EQ(c.listen.imap.size(), 1u);
  EXPECT_EQ(c.dns.servers.at(0).text(), "127.0.0.1:5300");
  EXPECT_EQ(c.dns.servers.at(1).text(), "[::1]:53");
  EXPECT_EQ(c.dns.timeout, 3s);
  EXPECT_TRUE(c.listen.pop3.empty());
  EXPECT_EQ(c.smtp.message_size_max, 10'000'000u);
  EXPECT_EQ(c.smtp.data_timeout, 90min);
  EXPECT_EQ(c.store.durability, store::Durability::none);
  EXPECT_EQ(c.store.sync, store::SyncMode::direct);
  EXPECT_EQ(c.store.segment_size, 16u << 20);
  EXPECT_TRUE(c.auth.allow_plaintext);
  EXPECT_EQ(c.tls.certificates, (std::vector<std::string>{"/etc/kurir/one.pem", "/etc/two.pem"}));
  EXPECT_EQ(c.tls.private_keys, (std::vector<std::string>{"/etc/kurir/one.key", "/etc/two.key"}));
  EXPECT_EQ(c.tls.minimum_version, tls::Version::tls_1_3);
  EXPECT_EQ(c.tls.client_certificates, tls::ClientCertificates::Use::requested);
  EXPECT_EQ(c.tls.client_ca_file, "/etc/kurir/clients.pem");
  EXPECT_EQ(c.relay.certificate, "/etc/kurir/relay.pem");
  EXPECT_EQ(c.relay.private_key, "");
}

TEST(Configuration, faults_say_where_and_what) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"\n  hostnam = 'x'", "k.toml:2:3: unknown key hostnam; did you mean hostname?"},
      {"[smtp]\nrecipient_max = 5",
       "k.toml:2:1: unknown key smtp.recipient_max; did you mean smtp.recipients_max?"},
      {"[smpt]\nrecipients_max = 5",
       "k.toml:2:1: unknown key smpt.recipients_max; did you mean smtp.recipients_max?"},
      {"recipients_max = 5",
       "k.toml:1:1: unknown key recipients_max; did you mean smtp.recipients_max?"},
      {"[zzz]\nqqqqqq = 1", "k.toml:2:1: unknown key zzz.qqqqqq"},
      {"[zzz]", "k.toml:1:2: unknown key zzz"},
      {"smtp = 3", "k.toml:1:1: unknown key smtp; did you mean listen.smtp?"},
      {"[hostname]\nx = 1", "k.toml:1:1: hostname must be a host name, like mail.example.org"},
      {"hostname = 'a b'", "k.toml:1:12: hostname must be a host name, like mail.example.org"},
      {"cores = '4'", "k.toml:1:9: cores must be a number from 0 to 1024"},
      {"cores = -1", "k.toml:1:9: cores must be a number from 0 to 1024"},
      {"cores = 1025", "k.toml:1:9: cores must be a number from 0 to 1024"},
      {"cores = 1.5", "k.toml:1:9: cores must be a number from 0 to 1024"},
      {"auth.allow_plaintext = 1", "k.toml:1:24: auth.allow_plaintext must be true or false"},
      {"store.durability = 'maybe'",
       "k.toml:1:20: store.durability must be \"commit\", \"interval\" or \"none\""},
      {"smtp.data_timeout = 5",
       "k.toml:1:21: smtp.data_timeout must be a duration, like \"1h30m\" or \"500ms\", from 1s "
       "to 1d"},
      {"store.segment_size = '1MB'",
       "k.toml:1:22: store.segment_size must be a size, like \"10MB\" or \"64KiB\", from 8MiB to "
       "1GiB"},
      {"listen.smtp = ['127.0.0.1']",
       "k.toml:1:15: listen.smtp must be a list of addresses with ports, like "
       "[\"127.0.0.1:25\", \"[::1]:25\"]"},
      {"listen.smtp = ['127.0.0.1:25', 5]",
       "k.toml:1:15: listen.smtp must be a list of addresses with ports, like "
       "[\"127.0.0.1:25\", \"[::1]:25\"]"},
  };
  for (const auto& [toml, expected] : rows)
    EXPECT_THAT(faults_of(toml), ElementsAre(std::string(expected))) << toml;
}

TEST(Configuration, all_faults_are_told_in_their_order) {
  EXPECT_THAT(faults_of("cores = 'x'\n[smtp]\nx = 1\n"),
              ElementsAre(HasSubstr("k.toml:1:9: cores"), HasSubstr("k.toml:3:1: unknown")));
}

TEST(Configuration, bad_toml_is_a_fault_with_its_line) {
  EXPECT_THAT(faults_of("cores = 1\nhostname = \n"), ElementsAre(HasSubstr("k.toml:2:")));
  EXPECT_THAT(faults_of("cores = 1\ncores = 2\n"), ElementsAre(HasSubstr("k.toml:2:")));
  EXPECT_THAT(faults_of("x = \"\xff\""), ElementsAre(HasSubstr("k.toml:1:")));
}

TEST(Configuration, relations_between_keys_are_checked) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"queue.retry_interval = '2d'", "queue.retry_interval is longer"},
      {"queue.max_age = '1h'", "queue.max_retry_interval is longer"},
      {"limits.connections_max = 10", "limits.connections_per_address_max is more"},
      {"store.segment_size = 10000001", "not a multiple of 4096"},
      {"smtp.errors_max = 2", "auth.failures_max is more"},
      {"listen = {smtp = '0.0.0.0:25', imap = '0.0.0.0:25'}", "share the address 0.0.0.0:25"},
      {"dns.servers = ['127.0.0.1:0']", "no name server can be at 127.0.0.1:0"},
      {"dns.servers = ['/run/dns']", "no name server can be at /run/dns"},
      {"dns.servers = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3', '127.0.0.1:4', '127.0.0.1:5', "
       "'127.0.0.1:6', '127.0.0.1:7', '127.0.0.1:8', '127.0.0.1:9']",
       "more than 8"},
      {"listen = {smtp = [], submission = [], submissions = [], imap = [], imaps = [], pop3 = [], "
       "pop3s = []}",
       "there is no listener"},
      {"tls.private_keys = 'key.pem'", "has not as many files as tls.certificates"},
      {"tls.client_certificates = 'required'", "needs tls.client_ca_file"},
      {"relay.private_key = 'key.pem'", "without relay.certificate"},
  };
  for (const auto& [toml, expected] : rows)
    EXPECT_THAT(faults_of(toml), ElementsAre(HasSubstr(std::string(expected)))) << toml;
  EXPECT_TRUE(faults_of("listen = {smtp = '127.0.0.1:0', imap = '127.0.0.1:0'}").empty());
}

TEST(Configuration, settings_override_the_file) {
  const auto c =
      parse_configuration("cores = 1\nhostname = 'a.test'", "/etc/kurir.toml",
                          {"cores=2", "smtp.message_size_max=20MB", "store.durability=interval",
                           "store.durability_interval=\"50ms\"", "hostname=1.test",
                           "listen.smtp=[\"127.0.0.1:2525\", '[::1]:26']",
                           "listen.imap=127.0.0.1:2143", "auth.allow_plaintext=true", "data=here",
                           "log.events=42", "tls.minimum_version=1.3", "tls.certificates=a.pem"})
          .value();
  EXPECT_EQ(c.cores, 2u);
  EXPECT_EQ(c.smtp.message_size_max, 20'000'000u);
  EXPECT_EQ(c.store.durability, store::Durability::interval);
  EXPECT_EQ(c.store.durability_interval, 50ms);
  EXPECT_EQ(c.hostname, "1.test");
  EXPECT_EQ(c.listen.smtp.at(1).text(), "[::1]:26");
  EXPECT_EQ(c.listen.imap.at(0).text(), "127.0.0.1:2143");
  EXPECT_TRUE(c.auth.allow_plaintext);
  EXPECT_EQ(c.tls.minimum_version, tls::Version::tls_1_3);
  EXPECT_EQ(c.tls.certificates, std::vector<std::string>{"a.pem"});
  EXPECT_EQ(c.data, "here");
  EXPECT_EQ(c.log.events, "42");
}

TEST(Configuration, bad_settings_are_faults) {
  EXPECT_THAT(faults_of("", {"cores"}), ElementsAre("--set cores: KEY=VALUE is expected"));
  EXPECT_THAT(faults_of("", {"core=1"}),
              ElementsAre("--set core=1: unknown key core; did you mean cores?"));
  EXPECT_THAT(faults_of("", {"cores=many"}),
              ElementsAre(HasSubstr("--set cores=many: cores must be a number")));
  EXPECT_THAT(faults_of("", {"cores=1\nhostname='x'"}),
              ElementsAre(HasSubstr("cores must be a number")));
  EXPECT_THAT(faults_of("", {"cores="}), ElementsAre(HasSubstr("cores must be a number")));
}

TEST(Configuration, the_default_file_reads_back_as_the_defaults) {
  const std::string file = default_file({}).value();
  EXPECT_TRUE(faults_of(file).empty());
  std::string uncommented;
  for (std::size_t at = 0; at < file.size(); ++at) {
    const bool line_begins = at == 0 || file[at - 1] == '\n';
    if (line_begins && file[at] == '#' && file[at + 1] != ' ') continue;
    uncommented += file[at];
  }
  EXPECT_NE(uncommented, file);
  EXPECT_TRUE(faults_of(uncommented).empty());
  // What is read back is written again, letter for letter.
  std::vector<std::string> settings;
  const auto parsed = parse_configuration(uncommented, "kurir.toml", {});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->store.free_space_min, Configuration().store.free_space_min);
  EXPECT_EQ(parsed->listen.pop3, Configuration().listen.pop3);
  EXPECT_EQ(parsed->queue.max_retry_interval, Configuration().queue.max_retry_interval);
  EXPECT_THAT(file, HasSubstr("\n#recipients_max = 1000\n"));
}

TEST(Configuration, the_default_file_has_what_was_set) {
  const std::string file =
      default_file({"hostname=mail.test", "data=/var/lib/\"k\"", "queue.max_age=2d"}).value();
  EXPECT_THAT(file, HasSubstr("\nhostname = \"mail.test\"\n"));
  EXPECT_THAT(file, HasSubstr("\nmax_age = \"2d\"\n"));
  EXPECT_EQ(parse_configuration(file, "kurir.toml", {})->data, "/var/lib/\"k\"");
  EXPECT_FALSE(default_file({"no=1"}));
}

TEST(Configuration, the_demo_listens_on_loopback_only) {
  const auto standard = demo_configuration("d", DemoPorts::standard, {}).value();
  EXPECT_EQ(standard.listen.smtp.at(0).text(), "127.0.0.1:2525");
  EXPECT_TRUE(standard.auth.allow_plaintext);
  const auto free = demo_configuration("d", DemoPorts::free, {"cores=1"}).value();
  EXPECT_EQ(free.listen.pop3.at(0).text(), "127.0.0.1:0");
  EXPECT_EQ(free.cores, 1u);
}

TEST(Configuration, a_file_is_loaded) {
  char path[] = "/tmp/kurir-configuration-XXXXXX";
  const int descriptor = mkstemp(path);
  ASSERT_GE(descriptor, 0);
  close(descriptor);
  std::ofstream(path) << "cores = 3\n";
  EXPECT_EQ(load_configuration(path, {})->cores, 3u);
  unlink(path);
  const auto missing = load_configuration(path, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().at(0).message(), std::string(path) + ": there is no such file");
}

}  // namespace
}  // namespace kurir::server
