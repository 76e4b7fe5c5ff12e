#!/bin/sh
# A worker without a port: takes jobs from a folder, one at a time, and finishes the one it has before it ends.
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
  # In the background with wait: a signal ends the wait at once, not after the sleep.
  sleep "$POLL_SECONDS" & wait $! || true
done
echo "ended, nothing half done"
