#include "cases.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

enum { MESSAGES = 3 };

static char topic_name[80];
static char case_name[400];
static size_t topic_cases, cases, failures;
static size_t failures_of_case;

static void end_case(void) {
    if (!release_memory()) fail_case("bytes around a buffer were written");
    failures += failures_of_case > 0;
    failures_of_case = 0;
}

void begin_topic(const char *isa, const char *name, uint64_t seed) {
    snprintf(topic_name, sizeof topic_name, "%s %s, seed %llu", isa, name, (unsigned long long)seed);
    topic_cases = 0;
    seed_random(seed);
}

size_t end_topic(void) {
    end_case();
    return topic_cases;
}

void begin_case(const char *format, ...) {
    end_case();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(case_name, sizeof case_name, format, arguments);
    va_end(arguments);
    ++topic_cases;
    ++cases;
}

void fail_case(const char *format, ...) {
    if (++failures_of_case > MESSAGES) return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "FAILED %s: %s: ", topic_name, case_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

size_t total_cases(void) { return cases; }
size_t failed_cases(void) { return failures; }

// MARK: Sudden ends

static void write_text(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void name_case(void) {
    write_text("FAILED ");
    write_text(topic_name);
    write_text(": ");
    write_text(case_name);
    write_text(": ended by ");
}

static void end_by_signal(int signal) {
    name_case();
    write_text(signal == SIGSEGV || signal == SIGBUS ? "a touch beyond a buffer\n" : "undefined behaviour\n");
    _exit(1);
}

void catch_signals(void) {
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; ++i) signal(signals[i], end_by_signal);
}

// The address sanitizer calls this before it explains.
void __asan_on_error(void);
void __asan_on_error(void) {
    name_case();
    write_text("the address sanitizer\n");
}
