#include "CBundledData.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char report[] = {
#embed "report.mustache"
};
static const unsigned char front_script[] = {
#embed "front.js"
};
#pragma clang diagnostic pop

const unsigned char *espalier_report_template_bytes(void) { return report; }

size_t espalier_report_template_length(void) { return sizeof report; }

const unsigned char *espalier_front_script_bytes(void) { return front_script; }

size_t espalier_front_script_length(void) { return sizeof front_script; }
