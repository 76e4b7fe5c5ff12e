// Exits with 0 if node_modules holds all packages of package-lock.json, by npm's own record of installed packages, and
// with 1 if a package is missing or has another version. Plain JavaScript, because any Node may run it before ours is
// installed.
import { readFileSync } from 'node:fs'

const read = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {}

function isInstalled() {
  const [wanted, found] = [read('package-lock.json'), read('node_modules/.package-lock.json')]
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link) return true
    const there = found[path]
    // An optional package may be for another processor or system.
    if (there === undefined) return optional === true
    return there.version === version && there.integrity === integrity
  })
}

try {
  process.exitCode = isInstalled() ? 0 : 1
} catch {
  process.exitCode = 1 // nothing is installed, or there is no record of it
}
