package dev.epoll.benchmarks;

/**
 * In how many rounds each server has its turn, and for how long.
 *
 * <p>Many short turns make exact ratios: a machine's speed changes from one second to the next, and
 * hardly within a tenth.
 */
record Pace(int rounds, int millis) {}
