package dev.epoll.benchmarks;

import java.util.List;

/**
 * A program that is measured.
 *
 * @param name what tables and plots call it
 * @param command how it is started; it prints {@code listening on PORT}
 */
record Peer(String name, List<String> command) {}
