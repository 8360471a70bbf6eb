// Looking up inputs of a window for all 32 outputs of a group; part of sparse_vector_template.h.
//
// Permutations choose from more entries the narrower those are. So rows of X are taken apart when they are prepared:
// into upper and lower halves for AVX-512, which chooses from 64 entries of 16 bits, and into four planes of bytes for
// NEON, which chooses from 64 bytes, and AVX2, which chooses from 16, twice. What was looked up is put together again
// by unpacking. The portable kernels read the row itself.

#if ESPALIER_VECTOR_BYTES == 64
typedef uint16_t ESPALIER_NAME(vector_piece);
#define PIECES 2
#elif ESPALIER_VECTOR_BYTES == 32 || defined(__aarch64__)
typedef uint8_t ESPALIER_NAME(vector_piece);
#define PIECES 4
#else
typedef float ESPALIER_NAME(vector_piece);
#define PIECES 1
#endif
#define PIECE ESPALIER_NAME(vector_piece)
#define WINDOW ESPALIER_WINDOW(ESPALIER_ISA_LEVEL)

// One row of X, times `factor`, to PIECES planes, the lowest bits first.
ESPALIER_INLINE void ESPALIER_NAME(vector_prepare_row)(
    const float *inputs, size_t count, const float factor, size_t plane, PIECE *prepared) {
    for (int piece = 0; piece < PIECES; ++piece) {
        PIECE *target = prepared + (size_t)piece * plane;
        for (size_t i = 0; i < count; ++i) {
            const float input = inputs[i] * factor;
            uint32_t word;
            memcpy(&word, &input, sizeof word);
            word >>= 8 * piece * (int)sizeof(PIECE);
            // The lowest bytes of the word.
            memcpy(target + i, &word, sizeof(PIECE));
        }
    }
    // Windows reach beyond the last input.
    for (int piece = 0; piece < PIECES; ++piece) {
        memset(prepared + (size_t)piece * plane + count, 0, (plane - count) * sizeof *prepared);
    }
}

// The inputs that the outputs of a group take in a step, by place; 0 for an output that takes none.
ESPALIER_INLINE void ESPALIER_NAME(vector_look_up)(
    const PIECE *window, size_t plane, const uint8_t *indices, FLOATS inputs[REGISTERS]) {
#if ESPALIER_VECTOR_BYTES == 64
    const __m256i bytes = _mm256_load_si256((const __m256i *)indices);
    const __mmask32 takes = _mm256_movepi8_mask(bytes);
    const __m512i numbers = _mm512_cvtepu8_epi16(bytes);
    const __m512i lower = _mm512_maskz_permutex2var_epi16(
        takes, _mm512_loadu_si512(window), numbers, _mm512_loadu_si512(window + 32));
    const __m512i upper = _mm512_maskz_permutex2var_epi16(
        takes, _mm512_loadu_si512(window + plane), numbers, _mm512_loadu_si512(window + plane + 32));
    inputs[0] = (FLOATS)_mm512_unpacklo_epi16(lower, upper);
    inputs[1] = (FLOATS)_mm512_unpackhi_epi16(lower, upper);
#elif ESPALIER_VECTOR_BYTES == 32
    // In the order which makes unpacking bring the quads of lanes to their places.
    const __m256i numbers = _mm256_permutevar8x32_epi32(
        _mm256_load_si256((const __m256i *)indices), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    __m256i found[PIECES];
#pragma clang loop unroll(full)
    for (int part = 0; part < WINDOW / 16; ++part) {
        // The number within 16 entries. Saturation sets the uppermost bit of all others, which then choose 0.
        const __m256i within = _mm256_adds_epu8(
            _mm256_sub_epi8(numbers, _mm256_set1_epi8((char)(TAKES_PART + 16 * part))), _mm256_set1_epi8(0x70));
#pragma clang loop unroll(full)
        for (int piece = 0; piece < PIECES; ++piece) {
            const __m128i *entries = (const __m128i *)(window + (size_t)piece * plane + 16 * part);
            const __m256i bytes =
                _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(entries)), within);
            found[piece] = part == 0 ? bytes : _mm256_or_si256(found[piece], bytes);
        }
    }
    const __m256i low = _mm256_unpacklo_epi8(found[0], found[1]);
    const __m256i high = _mm256_unpacklo_epi8(found[2], found[3]);
    const __m256i low_end = _mm256_unpackhi_epi8(found[0], found[1]);
    const __m256i high_end = _mm256_unpackhi_epi8(found[2], found[3]);
    inputs[0] = (FLOATS)_mm256_unpacklo_epi16(low, high);
    inputs[1] = (FLOATS)_mm256_unpackhi_epi16(low, high);
    inputs[2] = (FLOATS)_mm256_unpacklo_epi16(low_end, high_end);
    inputs[3] = (FLOATS)_mm256_unpackhi_epi16(low_end, high_end);
#elif defined(__aarch64__)
    uint8x16x4_t entries[PIECES];
#pragma clang loop unroll(full)
    for (int piece = 0; piece < PIECES; ++piece) entries[piece] = vld1q_u8_x4(window + (size_t)piece * plane);
#pragma clang loop unroll(full)
    for (int half = 0; half < 2; ++half) {
        // Beyond the last entry there is 0.
        const uint8x16_t numbers = vsubq_u8(vld1q_u8(indices + 16 * half), vdupq_n_u8(TAKES_PART));
        const uint8x16_t b0 = vqtbl4q_u8(entries[0], numbers), b1 = vqtbl4q_u8(entries[1], numbers);
        const uint8x16_t b2 = vqtbl4q_u8(entries[2], numbers), b3 = vqtbl4q_u8(entries[3], numbers);
        const uint16x8_t low = vreinterpretq_u16_u8(vzip1q_u8(b0, b1));
        const uint16x8_t high = vreinterpretq_u16_u8(vzip1q_u8(b2, b3));
        const uint16x8_t low_end = vreinterpretq_u16_u8(vzip2q_u8(b0, b1));
        const uint16x8_t high_end = vreinterpretq_u16_u8(vzip2q_u8(b2, b3));
        // Even quads of indices have the lower half of places.
        inputs[2 * half] = (FLOATS)vzip1q_u16(low, high);
        inputs[2 * half + 4] = (FLOATS)vzip2q_u16(low, high);
        inputs[2 * half + 1] = (FLOATS)vzip1q_u16(low_end, high_end);
        inputs[2 * half + 5] = (FLOATS)vzip2q_u16(low_end, high_end);
    }
#else
    (void)plane;
    for (size_t place = 0; place < GROUP_OUTPUTS; ++place) {
        const uint8_t index = indices[espalier_index_of_place(place)];
        uint32_t word;
        memcpy(&word, window + (index & (WINDOW - 1)), sizeof word);
        // All bits where the output takes part, else none: a branch would be taken at random.
        word &= 0 - (uint32_t)(index / TAKES_PART);
        memcpy((char *)inputs + place * sizeof word, &word, sizeof word);
    }
#endif
}
