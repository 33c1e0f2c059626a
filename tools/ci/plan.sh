#!/usr/bin/env bash
# Plans the upgrade of a stack for a pull request: tools/ci/plan.sh STACK FOLDER
# Leaves FOLDER/plan.md, at most as long as a comment on GitHub may be, and fails as `handover plan` does.
set -euo pipefail
stack=$1 folder=$2
handover="$(dirname "$(readlink -f "$0")")/../../handover"
mkdir -p "$folder"

code=0
"$handover" plan --stack "$stack" --markdown >"$folder/plan.out" 2>"$folder/plan.err" || code=$?
cat "$folder/plan.err" >&2
{
  echo "<!-- handover plan $stack -->" # by this the comment is found again
  if [ "$code" = 0 ]; then
    head -c 60000 "$folder/plan.out"
  else
    echo "### Upgrade of \`$stack\`: there is no plan"
    echo
    # Four spaces make it code, whatever is in it.
    tail -n 20 "$folder/plan.err" | sed 's/^/    /' | head -c 60000
  fi
} >"$folder/plan.md"
exit "$code"
