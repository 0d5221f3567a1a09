# Sourced by the scripts that start what the build makes.

# build_if_stale MODULE...: in the root folder, builds the last MODULE, and those before it, which it
# needs, if one of them is newer than the last build.
build_if_stale() {
  local classpath=${!#}/target/classpath log=${!#}/target/build.log
  if ! is_stale "$@"; then return; fi
  exec 9<"${BASH_SOURCE[0]}" # one build at a time: the others wait here, and may find nothing left to do
  flock 9
  if is_stale "$@"; then
    echo "building ${!#} and what it needs ..." >&2
    mkdir -p "${!#}/target"
    touch "$classpath.started"
    if ! mvn -B -ntp -pl "${!#}" -am package -DskipTests -Dspotless.check.skip=true </dev/null >"$log" 2>&1; then
      grep -E '^\[(WARNING|ERROR)\]' "$log" >&2 || cat "$log" >&2
      echo "The build failed; all it said is in $log" >&2
      exit 1
    fi
    touch -r "$classpath.started" "$classpath" # so that what was edited meanwhile counts as newer
  fi
  exec 9<&-
}

# Whether a jar is missing, or a source, a pom or a source folder (a deletion!) is newer than the build
is_stale() {
  local module=${!#} built each
  local classpath=$module/target/classpath # written by the build, as the module's pom says
  [ -s "$classpath" ] || return 0
  IFS=: read -r -a built <"$classpath" || true
  if [ -d "$module/src/main" ]; then
    built+=("$module/target/${module//\//-}"-*.jar)
  else
    built+=("$module/target/test-classes") # it has tests only, and no jar
  fi
  for each in "${built[@]}"; do
    [ -e "$each" ] || return 0
  done
  [ -n "$(find pom.xml "$(dirname "$module")/pom.xml" "${@/%//pom.xml}" "${@/%//src}" -newer "$classpath")" ]
}
