#ifndef ESPALIER_BUNDLED_DATA_H
#define ESPALIER_BUNDLED_DATA_H

#include <stddef.h>

// Data that is part of the program itself, so that the program can be moved anywhere without it.

/// The first byte of digits.csv: 1,797 lines of 64 pixels in 0..16 and a label.
const unsigned char *espalier_digits_bytes(void);

/// The size of digits.csv in bytes.
size_t espalier_digits_length(void);

/// The first byte of report.mustache, the page that reports are rendered with.
const unsigned char *espalier_report_template_bytes(void);

/// The size of report.mustache in bytes.
size_t espalier_report_template_length(void);

/// The first byte of front.js, the script of pages with a trade-off front.
const unsigned char *espalier_front_script_bytes(void);

/// The size of front.js in bytes.
size_t espalier_front_script_length(void);

#endif
