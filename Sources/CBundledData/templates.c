#include "CBundledData.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char report[] = {
#embed "report.mustache"
};
#pragma clang diagnostic pop

const unsigned char *espalier_report_template_bytes(void) { return report; }

size_t espalier_report_template_length(void) { return sizeof report; }
