// The same updates in C, by the loops that a careful person writes. Answers the lines that protocol.ts describes.
// gcc -O3 -msse2 -fno-math-errno steps.c -lm
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double lr = 1e-3, sgd_lr = 1e-2, beta1 = 0.9, beta2 = 0.999;

static void adam(size_t n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v, float rate, float scale) {
  const float b1 = beta1, c1 = 1 - beta1, b2 = beta2, c2 = 1 - beta2, eps = 1e-8;
  for (size_t i = 0; i < n; i++) {
    m[i] = b1 * m[i] + c1 * g[i];
    v[i] = b2 * v[i] + c2 * g[i] * g[i];
    p[i] -= rate * m[i] / (sqrtf(v[i]) * scale + eps);
  }
}

static void adamw(size_t n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v, float rate, float scale) {
  const float b1 = beta1, c1 = 1 - beta1, b2 = beta2, c2 = 1 - beta2, eps = 1e-8, decay = lr * 0.01;
  for (size_t i = 0; i < n; i++) {
    m[i] = b1 * m[i] + c1 * g[i];
    v[i] = b2 * v[i] + c2 * g[i] * g[i];
    p[i] -= decay * p[i] + rate * m[i] / (sqrtf(v[i]) * scale + eps);
  }
}

static void sgd(size_t n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v, float rate, float scale) {
  (void)m, (void)v, (void)scale;
  for (size_t i = 0; i < n; i++) p[i] -= rate * g[i];
}

static void momentum(size_t n, float *restrict p, const float *restrict g, float *restrict m, float *restrict v, float rate, float scale) {
  (void)v, (void)scale;
  const float mu = 0.9;
  for (size_t i = 0; i < n; i++) {
    m[i] = mu * m[i] + g[i];
    p[i] -= rate * m[i];
  }
}

typedef void (*Rule)(size_t, float *restrict, const float *restrict, float *restrict, float *restrict, float, float);

static const struct {
  const char *name;
  Rule run;
  size_t slots;
} rules[] = {{"adam", adam, 2}, {"adamw", adamw, 2}, {"sgd", sgd, 0}, {"momentum", momentum, 1}};

/** Floats between one buffer and the next, so that caches do not take their lines for one another's: as gradstep's arena has it. */
#define GAP ((17 * 4096 + 640) / 4)

static float *memory;
static size_t count, length, stride, apart, slots;
static Rule rule;
static double t;

static float *buffer(size_t which, size_t tensor) { return memory + which * apart + tensor * stride; }

// fill.ts
static void fill(float *to, uint32_t stream) {
  for (uint32_t i = 0; i < length; i++) {
    const uint32_t mixed = ((i + 1) * 0x9e3779b1u) ^ (stream * 0x85ebca6bu);
    to[i] = ((int32_t)((mixed >> 15) | 1) - 65536) / 655360.0;
  }
}

static int open_case(const char *name) {
  for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
    if (strcmp(rules[k].name, name) != 0) continue;
    rule = rules[k].run;
    slots = rules[k].slots;
    stride = (length + 15) / 16 * 16;
    apart = count * stride + GAP;
    const size_t bytes = (2 + slots) * apart * sizeof(float);
    memory = aligned_alloc(64, bytes);
    if (memory == NULL) return 0;
    memset(memory, 0, bytes);
    for (size_t i = 0; i < count; i++) fill(buffer(0, i), 2 * i + 1), fill(buffer(1, i), 2 * i + 2);
    t = 0;
    return 1;
  }
  return 0;
}

static void step(void) {
  t++;
  const float rate = slots == 2 ? lr / (1 - pow(beta1, t)) : sgd_lr;
  const float scale = 1 / sqrt(1 - pow(beta2, t));
  for (size_t i = 0; i < count; i++)
    rule(length, buffer(0, i), buffer(1, i), slots > 0 ? buffer(2, i) : NULL, slots > 1 ? buffer(3, i) : NULL, rate,
         scale);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double turn(int samples, int calls) {
  double seconds[100];
  for (int s = 0; s < samples; s++) {
    const double start = now();
    for (int i = 0; i < calls; i++) step();
    seconds[s] = (now() - start) / calls;
  }
  qsort(seconds, samples, sizeof *seconds, ascending);
  return seconds[samples / 2];
}

int main(void) {
  char line[200], name[32];
  int samples, calls;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "open %31s %zu %zu", name, &count, &length) == 3) {
      puts(open_case(name) ? "ok" : "no memory or no such rule");
    } else if (sscanf(line, "step %d", &calls) == 1) {
      for (int i = 0; i < calls; i++) step();
      puts("ok");
    } else if (sscanf(line, "turn %d %d", &samples, &calls) == 2) {
      printf("%.9g\n", turn(samples < 100 ? samples : 100, calls));
    } else if (strncmp(line, "values", 6) == 0) {
      for (size_t i = 0; i < 16; i++) printf("%.9g%c", memory[i], i < 15 ? ' ' : '\n');
    } else if (strncmp(line, "close", 5) == 0) {
      free(memory);
      memory = NULL;
      puts("ok");
    } else if (strncmp(line, "net", 3) == 0) {
      puts("no network here, only the updates");
    } else {
      puts("error unknown line");
    }
    fflush(stdout);
  }
  return 0;
}
