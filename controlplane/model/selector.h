#pragma once

// What a node selector means.

#include <map>
#include <string>

#include "api/convoy/v1/selector.pb.h"

namespace convoy::controlplane::model {

// A node's labels.
using Labels = std::map<std::string, std::string>;

// Whether the selector chooses a node with these labels. An empty selector chooses every node.
bool selects(const v1::NodeSelector& selector, const Labels& labels);

// Whether there can be a node that both choose.
bool mayOverlap(const v1::NodeSelector& a, const v1::NodeSelector& b);

}  // namespace convoy::controlplane::model
