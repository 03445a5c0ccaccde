// libphoenix.hpp -- the library for programs in C++.
//
// The headers of the library are C that a C++ compiler takes as well, and carry no `extern "C"` of
// their own. A C++ program includes this file, or writes the same around the headers that it needs.
#ifndef LIBPHOENIX_HPP
#define LIBPHOENIX_HPP

extern "C" {
#include "evolve/loop/run.h"
#include "evolve/report/report.h"
#include "nn/optimizer.h"
#include "nn/safetensors.h"
#include "t5/t5.h"
#include "vision/train.h"
}

#endif
