#pragma once

// What an HTTP filter may use of the worker that it runs on. Valid as long as the worker.

#include <cstddef>

#include "proxy/event/loop.h"

namespace convoy::upstream {
class WorkerClusters;
}

namespace convoy::filter {

class RedisClients;

struct WorkerServices {
  event::Loop& loop;
  upstream::WorkerClusters& clusters;
  size_t worker;                  // index: the slot of metric groups
  RedisClients* redis = nullptr;  // null: there is no Redis
};

}  // namespace convoy::filter
