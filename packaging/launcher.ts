import type { Architecture } from './architecture.ts'

/** `bin/tandem`: runs the program with the Node beside it, from any folder, also through links. */
export const launcher = ({ name, loader }: Architecture): string => `#!/bin/sh
# Runs Tandem with the Node beside it.
set -eu
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname "$self")/$link ;; esac
done
here=$(cd "$(dirname "$self")/.." && pwd -P)
if [ ! -e ${loader} ]; then
  echo "tandem: this archive is for Linux with glibc on ${name}; here is no ${loader}. Use the archive for this machine." >&2
  exit 1
fi
exec "$here/bin/node" --disable-warning=ExperimentalWarning "$here/lib/main.js" "$@"
`
