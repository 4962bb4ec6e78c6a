// Marks the symbols that libeffdet.so exports.
#pragma once

#define EFFDET_API __attribute__((visibility("default")))
