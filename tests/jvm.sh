# Sourced by the scripts that run what tests/ is made of. Sets $java, the first there is of JDK 22 or newer, which has the
# default backend, and $java_flags.

java_of_default_backend() {
  local candidate version
  for candidate in "${JAVA25_HOME-}" "${JAVA_HOME-}" "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")" \
    /usr/lib/jvm/*; do
    if [ -z "$candidate" ]; then continue; fi
    version=$("$candidate/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || true
    if [ "${version:-0}" -ge 22 ]; then
      echo "$candidate/bin/java"
      return
    fi
  done
  echo "No JDK 22 or newer found: install one, or unpack one anywhere and point JAVA25_HOME at it." >&2
  return 1
}

java=$(java_of_default_backend)
# jnr-ffi uses sun.misc.Unsafe, of which newer JDKs warn, and which JDK 22 knows no flag for.
java_flags=(-XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)
