#include "proxy/server/certs_page.h"

#include <algorithm>
#include <ctime>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/admin/json.h"

namespace convoy::server {

namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;

std::string timeText(event::WallTime time) {
  const time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm broken{};
  gmtime_r(&seconds, &broken);
  char text[32];
  return {text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken)};
}

void set(Struct& object, const std::string& key, std::string value) {
  (*object.mutable_fields())[key].set_string_value(std::move(value));
}

ListValue& listIn(Struct& object, const std::string& key) {
  return *(*object.mutable_fields())[key].mutable_list_value();
}

void addNames(const std::vector<std::string>& names, const char* kind, ListValue& list) {
  for (const std::string& name : names) {
    set(*list.add_values()->mutable_struct_value(), kind, name);
  }
}

void fill(const tls::CertificateView& view, event::WallTime now, Struct& out) {
  set(out, "path", view.path.empty() ? "<inline>" : view.path);
  set(out, "serial_number", view.serial);
  ListValue& names = listIn(out, "subject_alt_names");
  addNames(view.dns_names, "dns", names);
  addNames(view.uris, "uri", names);
  addNames(view.ips, "ip_address", names);
  const int64_t days = std::chrono::floor<std::chrono::days>(view.expires_at - now).count();
  // A number of 64 bits is a string in the JSON of protobuf.
  set(out, "days_until_expiration", absl::StrCat(std::max<int64_t>(days, 0)));
  set(out, "valid_from", timeText(view.valid_from));
  set(out, "expiration_time", timeText(view.expires_at));
  if (!view.ocsp.has_value()) return;
  Struct& ocsp = *(*out.mutable_fields())["ocsp_details"].mutable_struct_value();
  set(ocsp, "valid_from", timeText(view.ocsp->this_update));
  set(ocsp, "expiration", timeText(view.ocsp->next_update));
}

}  // namespace

admin::Response certsPage(const Server& server, const admin::Request&) {
  const event::WallTime now = server.timeSource().wallNow();
  Struct page;
  ListValue& all = listIn(page, "certificates");
  for (const tls::SecretView& secret : server.secrets().certificates()) {
    Struct& entry = *all.add_values()->mutable_struct_value();
    ListValue& anchors = listIn(entry, "ca_cert");
    for (const auto& view : secret.trust_anchors) {
      fill(view, now, *anchors.add_values()->mutable_struct_value());
    }
    ListValue& chain = listIn(entry, "cert_chain");
    for (const auto& view : secret.chain) {
      fill(view, now, *chain.add_values()->mutable_struct_value());
    }
  }
  absl::StatusOr<std::string> text = admin::toJson(page);
  if (!text.ok()) return {500, admin::kPlainText, absl::StrCat(text.status().message(), "\n")};
  return {200, admin::kJson, *std::move(text)};
}

}  // namespace convoy::server
