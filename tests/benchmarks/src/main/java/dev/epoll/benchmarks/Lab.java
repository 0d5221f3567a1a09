package dev.epoll.benchmarks;

/** What a bench works with. */
record Lab(Machine machine, Effort effort, Peers peers) {}
