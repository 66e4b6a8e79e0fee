// ETRN (RFC 1985): a host that was away asks for the mail that waits for it.

#include "kurir/directory/address.hh"
#include "kurir/smtp/server_session.hh"

namespace kurir::smtp {

// "example.org"; "@example.org" with all below it. Queues have no names here ("#queue").
Task<ServerSession::Next> ServerSession::etrn(const wire::SmtpCommand& command) {
  const ServerOptions& options = services_.options;
  const bool is_offered = service_ == Service::transfer || service_ == Service::submission;
  if (!is_offered || !is_client_known() || !options.may_etrn || !options.may_etrn(client_address()))
    co_return refuse({459, "4.7.1", "Not for you: smtp.etrn_networks says who may ask"});
  if (transaction_) co_return refuse({503, "5.5.1", "Not within a transaction"});
  std::string_view domain = command.argument;
  const bool is_with_those_below = domain.starts_with('@');
  if (is_with_those_below) domain.remove_prefix(1);
  if (!directory::is_domain(domain))
    co_return refuse({501, "5.5.4", "That is no domain: ETRN example.org"});
  if (services_.queue_starter == nullptr)
    co_return refuse({458, "4.3.0", "The queue cannot be started now"});
  const std::string wanted = (is_with_those_below ? "." : "") + std::string(domain);
  const Result<std::uint64_t> started = co_await services_.queue_starter->start_for(wanted);
  if (!started) co_return refuse({458, "4.3.0", "The queue cannot be started now"});
  if (*started == 0) {
    reply(251, "2.0.0", "No messages wait for " + wanted);
  } else {
    reply(253, "2.0.0", std::to_string(*started) + " messages for " + wanted + " are started");
  }
  co_return Next::go_on;
}

}  // namespace kurir::smtp
