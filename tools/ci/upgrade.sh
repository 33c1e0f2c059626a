#!/usr/bin/env bash
# Upgrades a stack in CI: tools/ci/upgrade.sh STACK FOLDER [COMMAND [DIGEST]]
# COMMAND is upgrade (default), resume or rollback; with DIGEST, that plan is approved first. A re-run goes on with what
# was begun. Leaves FOLDER/events.jsonl, report.json and report.md, and fails as the command does.
set -euo pipefail
stack=$1 folder=$2 command=${3:-upgrade} digest=${4:-}
handover="$(dirname "$(readlink -f "$0")")/../../handover"
mkdir -p "$folder"

if [ -n "$digest" ]; then
  "$handover" approve --stack "$stack" --digest "$digest"
  command=resume
elif [ "$command" = upgrade ] && [ "${GITHUB_RUN_ATTEMPT:-1}" -gt 1 ]; then
  # `upgrade` goes on with a run to the same goal; one that was on its way back is `resume`'s.
  case $("$handover" status --stack "$stack" --json || true) in
    *'"rollingBack":true'*) command=resume ;;
  esac
fi

# CI cancels a job by signalling this script, and the driver has to know: it finishes what it has in hand and records it.
"$handover" "$command" --stack "$stack" --wait 30m --json > >(tee "$folder/events.jsonl") &
driver=$!
trap 'kill -TERM "$driver"' INT TERM
while :; do
  code=0
  wait "$driver" || code=$?
  kill -0 "$driver" 2>/dev/null || break
done
trap - INT TERM
"$handover" report --stack "$stack" --json >"$folder/report.json" || true # a first deployment is no run
"$handover" report --stack "$stack" --markdown >"$folder/report.md" || true
cat "$folder/report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

# On GitHub an annotation, elsewhere a line.
end() { echo "${GITHUB_ACTIONS:+::error title=$stack::}$*"; }
case $code in
  0) ;;
  2) end "rolled back; the old generation serves. Mend the new one, and push again." ;;
  3) end "paused. Read the last line above, then start this workflow by hand: resume, rollback, or the digest to approve." ;;
  5) end "another run works on this stack. Run this job again when it has ended." ;;
  130) end "interrupted between two operations. Run this job again: it goes on." ;;
  *) end "a person is needed. The last line above says what serves, and what to type." ;;
esac
exit "$code"
