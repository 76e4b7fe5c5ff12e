import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { jailHints } from './jailHints.ts'

interface Refusal {
  program: string
  package: string
  version: string
  lines: string[]
  hints: string[]
}

/** Recorded in the jail of a Debian 12 machine (systemd 252); lines that change nothing about the hints are left out. */
const refusals = JSON.parse(readFileSync(join(import.meta.dirname, 'testing/refusals.json'), 'utf8')) as Refusal[]

describe('the hints about a refusal of the jail', () => {
  it.each(refusals)('for $program ($package $version)', ({ lines, hints }) => {
    expect(jailHints(lines)).toEqual(hints)
    expect(hints).not.toEqual([])
  })

  it('cover more than thirty programs, and each name a path, a key or the better way', () => {
    expect(new Set(refusals.map((one) => one.package)).size).toBeGreaterThan(30)
    for (const hint of refusals.flatMap((one) => one.hints))
      expect(hint).toMatch(/jail: \{|`jail`|TANDEM_DATA|configuration|\$\{PORT\}|belongs to the machine/)
  })

  it.each([
    'GET /admin 403 permission needed',
    'listening on 127.0.0.1:18001',
    "ENOENT: no such file or directory, open '/srv/shop/config.json'",
    "Error: Cannot find module '/var/lib/tandem/releases/3f/server.js'",
    'connect ECONNREFUSED 127.0.0.1:5432',
    'listen EADDRINUSE: address already in use 0.0.0.0:8080',
  ])('are none for: %s', (line) => expect(jailHints([line])).toEqual([]))

  it('are none for a key that the definition has', () => {
    const mkdir = 'mkdir() "/var/log/nginx/x" failed (30: Read-only file system)'
    expect(jailHints([mkdir])).toEqual([expect.stringContaining('scratch: [/var/log/nginx]')])
    expect(jailHints([mkdir], { scratch: ['/var/log/nginx'] })).toEqual([])
    expect(jailHints([mkdir], { write: ['/var/log/nginx'] })).toEqual([])
    const port = 'listen tcp :80: bind: permission denied'
    expect(jailHints([port], { capabilities: ['CAP_NET_BIND_SERVICE'] })).not.toEqual([expect.stringContaining('port')])
  })

  it('are at most three, each once, about the last life of the instance', () => {
    const before = 'mkdir: cannot create directory "/run/before": Permission denied'
    const now = [1, 2, 3, 4, 4].map((n) => `mkdir: cannot create directory "/run/shop${n}": Permission denied`)
    const hints = jailHints([before, 'starting release 3f2a', ...now])
    expect(hints.map((hint) => /scratch: \[(.*?)\]/.exec(hint)?.[1])).toEqual([
      '/run/shop1',
      '/run/shop2',
      '/run/shop3',
    ])
  })
})
