#pragma once

#include "operation.h"

extern const Operation WINOGRAD_3X3, WINOGRAD_3X3_FINISHED, WINOGRAD_3X3_INPUT_GRADIENT,
    WINOGRAD_3X3_KERNEL_GRADIENT;
extern const Operation NORMALISE, NORMALISE_GRADIENT;
extern const Operation NESTEROV_STEP;
