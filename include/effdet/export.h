// Marks what libeffdet.so shows.
#pragma once

#define EFFDET_API __attribute__((visibility("default")))
