#include "CBundledData.h"

// `#embed` is C23; every clang that comes with Swift 6.2 or newer takes it in any C mode, with a warning.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char digits[] = {
#embed "digits.csv"
};
#pragma clang diagnostic pop

const unsigned char *espalier_digits_bytes(void) { return digits; }

size_t espalier_digits_length(void) { return sizeof digits; }
