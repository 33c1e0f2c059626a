# Brings what the sandbox and the command line need, each once, into the user's cache. Sourced by ./handover and the Makefile's tools.
# Everything comes from package registries through their ordinary clients; a finished installation is renamed into place,
# so that an interrupted or a concurrent one leaves nothing half done.

tools="${HANDOVER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/handover}"
engine_version=v3.220.0
# What Node compiled once is kept: half of the time that a command takes to start.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$tools/compiled}"

say() { printf 'handover: %s\n' "$*" >&2; }

# need COMMAND HOW-TO-INSTALL
need() {
  command -v "$1" >/dev/null 2>&1 && return
  say "$1 is missing; nothing was changed. Install it with: $2"
  exit 1
}

# install NAME SECONDS FUNCTION: runs FUNCTION with an empty folder, then renames that folder to $tools/NAME.
install() {
  local name=$1 seconds=$2 build=$3 work log
  [ -d "$tools/$name" ] && return
  mkdir -p "$tools"
  work=$(mktemp -d "$tools/.$name.XXXXXX")
  log="$tools/$name.log"
  say "installing $name (once, up to $seconds s; log: $log)"
  if ! ( set -e; "$build" "$work" ) >"$log" 2>&1; then
    rm -rf "$work"
    say "installing $name failed; nothing was changed. The last lines of $log:"
    tail -n 15 "$log" >&2
    exit 1
  fi
  mv -T "$work" "$tools/$name" 2>/dev/null || rm -rf "$work" # another installation was faster
}

content() { cat "$@" | sha256sum | cut -c1-12; }

node_is_new_enough() {
  command -v node >/dev/null 2>&1 && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 21) ? 0 : 1)' 2>/dev/null
}

build_node() {
  cp "$root/tools/node/package.json" "$root/tools/node/package-lock.json" "$1"
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund
  mkdir "$1/bin"
  ln -s "../$(cd "$1" && echo node_modules/node-*/bin/node)" "$1/bin/node"
}

bring_node() {
  need npm "apt-get install nodejs npm (or https://nodejs.org)"
  node_is_new_enough && return
  local name
  name="node-$(content "$root/tools/node/package-lock.json")"
  install "$name" 60 build_node
  PATH="$tools/$name/bin:$PATH"
}

bring_packages() {
  [ -f "$root/package-lock.json" ] || return 0 # npm has installed them beside the packed package
  local stamp="$root/node_modules/.handover-installed" want
  want=$(content "$root/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  say "installing the npm packages (once, up to 120 s)"
  if ! (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2); then
    say "npm ci failed; node_modules is incomplete. Run the same command again."
    exit 1
  fi
  printf '%s' "$want" >"$stamp"
}

build_engine() {
  mkdir "$1/bin"
  build_language_host "$1" &
  (cd "$root/tools/engine" && CGO_ENABLED=0 go build -mod=readonly -o "$1/bin/pulumi" \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$engine_version" \
    github.com/pulumi/pulumi/pkg/v3/cmd/pulumi)
  wait $!
}

build_language_host() {
  (cd "$root/tools/engine/language-host" && CGO_ENABLED=0 go build -mod=readonly -o "$1/bin/pulumi-language-nodejs" -ldflags "-s -w" \
    github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs)
}

# The engine: `pulumi` from PATH if there is one, else built from Go modules.
bring_engine() {
  command -v pulumi >/dev/null 2>&1 && return
  pinned_engine
  PATH="$pinned/bin:$PATH"
}

pinned_engine() {
  need go "apt-get install golang (1.25 or later; or https://go.dev/dl)"
  local name
  name="engine-$(content "$root/tools/engine/go.mod" "$root/tools/engine/language-host/go.mod")"
  install "$name" 240 build_engine
  pinned="$tools/$name"
}

build_actionlint() {
  mkdir "$1/bin"
  (cd "$root/tools/actionlint" && CGO_ENABLED=0 go build -mod=readonly -o "$1/bin/actionlint" -ldflags "-s -w" \
    github.com/rhysd/actionlint/cmd/actionlint)
}

# The checker of .github/workflows, built from Go modules.
bring_actionlint() {
  command -v actionlint >/dev/null 2>&1 && return
  need go "apt-get install golang (1.25 or later; or https://go.dev/dl)"
  local name
  name="actionlint-$(content "$root/tools/actionlint/go.mod")"
  install "$name" 60 build_actionlint
  PATH="$tools/$name/bin:$PATH"
}

build_cloud() {
  python3 -m venv "$1/venv"
  "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$root/sandbox/cloud/requirements.txt"
}

bring_cloud() {
  need python3 "apt-get install python3 python3-venv (3.11 or later)"
  local name
  name="cloud-$(content "$root/sandbox/cloud/requirements.txt")"
  install "$name" 60 build_cloud
  export HANDOVER_PYTHON="$tools/$name/venv/bin/python"
}

# bring TOOL...: side by side, since a first installation mostly waits for downloads. An interrupt ends all of them.
# What a process has brought, its children have as well, as long as they keep its PATH.
bring() {
  local tool jobs=() missing=() here="$PATH|$root|"
  local brought="${HANDOVER_BROUGHT:-}"
  for tool; do
    [[ "$brought" == "$here"* && "${brought#"$here"} " == *"$tool "* ]] || missing+=("$tool")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  set -m # each job in a process group of its own
  for tool in "${missing[@]}"; do
    "bring_$tool" &
    jobs+=($!)
  done
  set +m
  trap 'kill -- "${jobs[@]/#/-}" 2>/dev/null; exit 130' INT TERM
  for tool in "${jobs[@]}"; do wait "$tool" || exit 1; done
  trap - INT TERM
  for tool in "${missing[@]}"; do "bring_$tool"; done # what a job put on PATH was its own
  export HANDOVER_BROUGHT="$PATH|$root|$*"
}
