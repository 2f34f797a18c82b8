// A rival of the crossbar kernel for bench/compare-crossbar.mjs: the speed workload by population counts, one thread.
//   cc -O3 -march=native crossbar_rival.c -o crossbar_rival && ./crossbar_rival REPEATS
// Bit columns lie side by side, eight 64-bit words to a register with AVX-512 VPOPCNTDQ, four vectors at a time; without
// it the compiler's own population count. Packing the inputs is timed apart. Prints one JSON object.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __AVX512VPOPCNTDQ__
#include <immintrin.h>
#endif

enum { ROWS = 1152, COLUMNS = 128, VECTORS = 1024, TILES = 9, PLANES = 8, SLOTS = 14, TOP = 7, MOST = 7 };

static uint8_t inputs[VECTORS][ROWS];
static int8_t codes[ROWS][COLUMNS];
// Words of 64 rows: two to a tile.
static uint64_t packed[VECTORS][PLANES][2 * TILES];
static uint64_t cells[SLOTS][2 * TILES][COLUMNS] __attribute__((aligned(64)));
static int32_t outputs[VECTORS][COLUMNS];

static uint32_t state;
static uint32_t draw(void) { return state = state * 1664525u + 1013904223u; }

static void workload(void) {
  state = 1;
  for (int m = 0; m < VECTORS; m++)
    for (int k = 0; k < ROWS; k++) inputs[m][k] = draw() >> 24;
  state = 2;
  for (int k = 0; k < ROWS; k++)
    for (int n = 0; n < COLUMNS; n++) {
      uint32_t s = draw();
      int magnitude = (s >> 24) & 127;
      codes[k][n] = ((s >> 15) & 255) < 51 ? ((s >> 23) & 1 ? -magnitude : magnitude) : 0;
    }
}

static void pack_cells(void) {
  memset(cells, 0, sizeof cells);
  for (int k = 0; k < ROWS; k++)
    for (int n = 0; n < COLUMNS; n++) {
      int code = codes[k][n], magnitude = abs(code), first = code < 0 ? TOP : 0;
      for (int plane = 0; plane < TOP; plane++)
        if ((magnitude >> plane) & 1) cells[first + plane][k / 64][n] |= 1ull << (k % 64);
    }
}

static void pack_inputs(void) {
  for (int m = 0; m < VECTORS; m++)
    for (int word = 0; word < 2 * TILES; word++) {
#ifdef __AVX512BW__
      __m512i bytes = _mm512_loadu_si512(&inputs[m][64 * word]);
      for (int plane = 0; plane < PLANES; plane++)
        packed[m][plane][word] = _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(1 << plane));
#else
      for (int plane = 0; plane < PLANES; plane++) {
        uint64_t bits = 0;
        for (int k = 0; k < 64; k++) bits |= (uint64_t)((inputs[m][64 * word + k] >> plane) & 1) << k;
        packed[m][plane][word] = bits;
      }
#endif
    }
}

#ifdef __AVX512VPOPCNTDQ__
static const char *kind = "AVX-512 VPOPCNTDQ";
static void convert(void) {
  const __m512i most = _mm512_set1_epi64(MOST);
  for (int m = 0; m < VECTORS; m += 4)
    for (int n = 0; n < COLUMNS; n += 8) {
      __m512i sums[4] = {{0}};
      for (int slot = 0; slot < SLOTS; slot++) {
        __m512i part[4] = {{0}};
        for (int plane = PLANES - 1; plane >= 0; plane--) {
          for (int v = 0; v < 4; v++) part[v] = _mm512_add_epi64(part[v], part[v]);
          for (int word = 0; word < 2 * TILES; word += 2) {
            __m512i low = _mm512_load_si512(&cells[slot][word][n]);
            __m512i high = _mm512_load_si512(&cells[slot][word + 1][n]);
            for (int v = 0; v < 4; v++) {
              __m512i a = _mm512_and_si512(low, _mm512_set1_epi64(packed[m + v][plane][word]));
              __m512i b = _mm512_and_si512(high, _mm512_set1_epi64(packed[m + v][plane][word + 1]));
              __m512i ones = _mm512_add_epi64(_mm512_popcnt_epi64(a), _mm512_popcnt_epi64(b));
              part[v] = _mm512_add_epi64(part[v], _mm512_min_epu64(ones, most));
            }
          }
        }
        for (int v = 0; v < 4; v++) {
          __m512i shifted = _mm512_slli_epi64(part[v], slot % TOP);
          sums[v] = slot < TOP ? _mm512_add_epi64(sums[v], shifted) : _mm512_sub_epi64(sums[v], shifted);
        }
      }
      for (int v = 0; v < 4; v++) _mm256_storeu_si256((__m256i *)&outputs[m + v][n], _mm512_cvtepi64_epi32(sums[v]));
    }
}
#else
static const char *kind = "compiler's population count";
static void convert(void) {
  for (int m = 0; m < VECTORS; m++)
    for (int n = 0; n < COLUMNS; n++) {
      int32_t sum = 0;
      for (int slot = 0; slot < SLOTS; slot++)
        for (int plane = 0; plane < PLANES; plane++) {
          int32_t part = 0;
          for (int word = 0; word < 2 * TILES; word += 2) {
            int ones = __builtin_popcountll(cells[slot][word][n] & packed[m][plane][word]) +
                       __builtin_popcountll(cells[slot][word + 1][n] & packed[m][plane][word + 1]);
            part += ones < MOST ? ones : MOST;
          }
          part <<= slot % TOP + plane;
          sum += slot < TOP ? part : -part;
        }
      outputs[m][n] = sum;
    }
}
#endif

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **words) {
  int repeats = count > 1 ? atoi(words[1]) : 5;
  double *packing = malloc(repeats * sizeof(double)), *converting = malloc(repeats * sizeof(double));
  workload();
  pack_cells();
  for (int run = -1; run < repeats; run++) {
    double start = milliseconds();
    pack_inputs();
    double middle = milliseconds();
    convert();
    if (run < 0) continue;
    packing[run] = middle - start;
    converting[run] = milliseconds() - middle;
  }
  uint32_t hash = 0x811c9dc5u;
  for (size_t i = 0; i < sizeof outputs; i++) hash = (hash ^ ((uint8_t *)outputs)[i]) * 0x01000193u;
  qsort(packing, repeats, sizeof(double), ascending);
  qsort(converting, repeats, sizeof(double), ascending);
  printf("{\"kind\": \"%s\", \"packing\": %.3f, \"converting\": %.3f, \"fnv1a\": \"%08x\"}\n", kind,
         packing[repeats / 2], converting[repeats / 2], hash);
  return 0;
}
