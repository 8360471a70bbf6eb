#include "CLAPACK.h"

#include <stddef.h>

// Fortran passes everything by reference, and the lengths of strings by value behind all other arguments.

extern void dgesdd_(
    const char *job, const int *rows, const int *columns, double *a, const int *a_leading, double *values, double *u,
    const int *u_leading, double *vt, const int *vt_leading, double *work, const int *work_count, int *indices,
    int *info, size_t job_length);

extern void dpbtrf_(
    const char *triangle, const int *order, const int *bandwidth, double *band, const int *leading, int *info,
    size_t triangle_length);

int espalier_lapack_dgesdd(
    int rows, int columns, double *a, double *values, double *u, double *vt, double *work, int work_count,
    int *indices) {
    const int least = rows < columns ? rows : columns;
    int info = 0;
    dgesdd_(
        "S", &rows, &columns, a, &rows, values, u, &rows, vt, &least, work, &work_count, indices, &info, 1);
    return info;
}

int espalier_lapack_dpbtrf(int order, int bandwidth, double *band) {
    const int leading = bandwidth + 1;
    int info = 0;
    dpbtrf_("L", &order, &bandwidth, band, &leading, &info, 1);
    return info;
}
