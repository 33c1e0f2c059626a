#!/usr/bin/env bash
# The steps of .github/workflows/upgrade-plan.yml and upgrade.yml against a sandbox: sandbox/ci.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
folder=${1:-.sandbox/ci}
stack=sandbox-ci
trap './handover sandbox down --name "$stack"' EXIT

./handover sandbox up --name "$stack"
./handover doctor --stack "$stack"
# The pull request: another goal.
sed -i 's/^  handover:live: .*/  handover:live: green/' "Pulumi.$stack.yaml"
tools/ci/plan.sh "$stack" "$folder"
# It is merged.
tools/ci/upgrade.sh "$stack" "$folder"
# The same job again changes nothing.
GITHUB_RUN_ATTEMPT=2 tools/ci/upgrade.sh "$stack" "$folder/again"
