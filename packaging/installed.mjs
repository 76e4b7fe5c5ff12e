// Exits 0 when node_modules holds what package-lock.json names, by npm's own record of what it installed; 1 when anything
// is missing or of another version. Plain JavaScript: run by whatever Node there is, before ours is installed.
import { readFileSync } from 'node:fs'

const read = (file) => JSON.parse(readFileSync(file, 'utf8')).packages ?? {}

function isInstalled() {
  const [wanted, found] = [read('package-lock.json'), read('node_modules/.package-lock.json')]
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link) return true
    const there = found[path]
    // What is optional may be for another processor or system.
    if (there === undefined) return optional === true
    return there.version === version && there.integrity === integrity
  })
}

try {
  process.exitCode = isInstalled() ? 0 : 1
} catch {
  process.exitCode = 1 // nothing is installed, or nobody knows what
}
