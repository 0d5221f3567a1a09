package dev.epoll.sys;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the implementation of {@link Syscalls}, once per process, by {@code
 * -Ddev.epoll.backend=jnr|ffm}. Without the property it is ffm (java.lang.foreign) where this JDK
 * has it, else jnr (jnr-ffi).
 */
public final class Backend {
  /** The system property that forces a backend. */
  public static final String PROPERTY = "dev.epoll.backend";

  private Backend() {}

  private static final class Chosen {
    static final @Nullable Syscalls SYSCALLS;
    static final @Nullable Throwable FAILURE;

    static {
      Syscalls syscalls = null;
      Throwable failure = null;
      try {
        syscalls = choose(System.getProperty(PROPERTY));
      } catch (RuntimeException | Error e) {
        // Thrown from here it would come out as an ExceptionInInitializerError without its text.
        failure = e;
      }
      SYSCALLS = syscalls;
      FAILURE = failure;
    }
  }

  /**
   * The backend of this process.
   *
   * @throws IllegalStateException if there is none: the property names an impossible one, or what
   *     it needs is missing
   */
  public static Syscalls syscalls() {
    Syscalls chosen = Chosen.SYSCALLS;
    if (chosen == null) {
      Throwable failure = Objects.requireNonNull(Chosen.FAILURE);
      throw new IllegalStateException(failure.getMessage(), failure);
    }
    return chosen;
  }

  /**
   * The backend called {@code name}, or the default one for null.
   *
   * @throws IllegalStateException if it is unknown, or impossible on this JDK or class path
   */
  static Syscalls choose(@Nullable String name) {
    if (name == null) {
      Syscalls ffm = FfmBackend.open();
      return ffm != null ? ffm : jnr();
    }
    return switch (name) {
      case "jnr" -> jnr();
      case "ffm" -> {
        Syscalls ffm = FfmBackend.open();
        if (ffm == null) {
          throw new IllegalStateException(
              "-D%s=ffm needs JDK 22 or newer and the multi-release jar, and this is JDK %d: remove the property or set it to jnr"
                  .formatted(PROPERTY, Runtime.version().feature()));
        }
        yield ffm;
      }
      default ->
          throw new IllegalStateException(
              "-D%s=%s is unknown: set it to jnr or ffm".formatted(PROPERTY, name));
    };
  }

  private static Syscalls jnr() {
    try {
      return new JnrSyscalls();
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          "the jnr backend needs com.github.jnr:jnr-ffi on the class path: add it, or run on JDK 22"
              + " or newer for ffm",
          e);
    }
  }
}
