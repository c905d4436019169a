#include "proxy/xds/node_reporter.h"

#include <google/protobuf/util/json_util.h>

#include <iterator>

namespace convoy::xds {

namespace {

constexpr char kReportField[] = "convoy.ext.NodeReport";

}  // namespace

NodeReporter::NodeReporter(const std::string& encoded_node) {
  // Partial parsing of what this process serialised itself cannot fail.
  node_.ParsePartialFromString(encoded_node);
}

void NodeReporter::setReport(ext::NodeReport report) {
  std::string as_set = report.SerializeAsString();
  if (report_.has_value() && as_set == report_as_set_) return;
  report_as_set_ = std::move(as_set);
  report_ = std::move(report);
  due_ = true;
}

void NodeReporter::setNotes(const std::string& type_url, Notes notes) {
  if (notes.count == 0) {
    forget(type_url, notes.name);
    return;
  }
  Ignored& ignored = ignored_[{type_url, notes.name}];
  if (ignored.count == notes.count && ignored.notes == notes.notes) return;
  ignored_count_ += notes.count - ignored.count;
  ignored = {std::move(notes.notes), notes.count};
  due_ = report_.has_value();
}

void NodeReporter::forget(const std::string& type_url, std::string_view name) {
  const auto found = ignored_.find({type_url, std::string(name)});
  if (found == ignored_.end()) return;
  ignored_count_ -= found->second.count;
  ignored_.erase(found);
  due_ = report_.has_value();
}

const envoy::config::core::v3::Node& NodeReporter::node() {
  if (!std::exchange(due_, false)) return node_;
  report_->clear_ignored_fields();
  for (const auto& [resource, ignored] : ignored_) {
    for (const base::FieldNote& note : ignored.notes) {
      if (report_->ignored_fields_size() == kMaxIgnoredFields) break;
      ext::NodeReport::IgnoredField* field = report_->add_ignored_fields();
      field->set_type_url(resource.first);
      field->set_name(resource.second);
      field->set_field_path(note.field_path);
      field->set_unknown(note.unknown);
    }
  }
  report_->set_ignored_field_count(ignored_count_);

  std::string json;
  google::protobuf::Struct as_struct;
  const bool converted = google::protobuf::util::MessageToJsonString(*report_, &json).ok() &&
                         google::protobuf::util::JsonStringToMessage(json, &as_struct).ok();
  if (converted) {
    auto& fields = *node_.mutable_metadata()->mutable_fields();
    *fields[kReportField].mutable_struct_value() = std::move(as_struct);
  }
  return node_;
}

}  // namespace convoy::xds
