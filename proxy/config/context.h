#pragma once

// What the converters from Envoy's messages to specs need besides the message.

#include <string>

namespace convoy::config {

class Registry;
class SourceMap;

struct Context {
  const Registry* registry = nullptr;  // never null while converting; outlives the call

  // Fields that this build's schema does not know: refused in static files and with
  // --reject-unknown-dynamic-fields; else counted and shown.
  bool refuse_unknown_fields = false;

  // Data sources may name files and environment variables of this machine, and are read. The
  // control plane cannot: it takes them as given.
  bool read_files = false;

  // The resource's version, kept in the spec; empty for static ones.
  std::string version;

  // Where the fields of a static file stand; null: what comes from a control plane, or nobody asks.
  const SourceMap* sources = nullptr;
  // Type and name of the resource at hand ("Cluster/web"); empty in a static file.
  std::string resource;
};

}  // namespace convoy::config
