/// The few routines of LAPACK that are needed, whichever library has them: liblapack on Linux, Accelerate on macOS.
///
/// Matrices are stored by columns. All arguments are checked by LAPACK, which answers with a negative number.
#ifndef ESPALIER_CLAPACK_H
#define ESPALIER_CLAPACK_H

/// dgesdd with job 'S': the singular values of a (rows x columns, overwritten) in descending order, the left singular
/// vectors as columns of u (rows x k) and the right ones as rows of vt (k x columns), k the smaller extent.
///
/// If `work_count` is -1, only writes the size of `work` to its first element. `indices` has 8 k elements.
/// Returns 0, or a positive number if the iteration did not converge.
int espalier_lapack_dgesdd(
    int rows, int columns, double *a, double *values, double *u, double *vt, double *work, int work_count,
    int *indices);

/// dpbtrf with 'L': overwrites a symmetric band matrix, whose lower diagonals are the rows of `band` ((bandwidth + 1) x
/// order), with its Cholesky factor. Returns 0, or the number of the first pivot that is not positive, counted from 1.
int espalier_lapack_dpbtrf(int order, int bandwidth, double *band);

#endif
