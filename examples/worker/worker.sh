#!/bin/sh
# A worker without a port: takes jobs from a folder, one at a time, and finishes its job before it exits.
set -eu
jobs="$TANDEM_DATA/jobs"
mkdir -p "$jobs/todo" "$jobs/done"
ending=no
trap 'ending=yes' TERM
echo "working on $TANDEM_MACHINE, jobs from $jobs/todo"

while [ "$ending" = no ]; do
  # mv is atomic: of two workers, one gets the job.
  mine="$jobs/$TANDEM_INSTANCE"
  for job in "$jobs"/todo/*; do
    [ "$ending" = no ] || break
    [ -e "$job" ] || continue
    mv "$job" "$mine" 2>/dev/null || continue
    echo "job $(basename "$job"): $(wc -c < "$mine") bytes"
    mv "$mine" "$jobs/done/$(basename "$job")"
  done
  # sleep runs in the background, because a signal ends `wait` at once, but a foreground sleep only afterwards.
  sleep "$POLL_SECONDS" & wait $! || true
done
echo "ended, nothing half done"
