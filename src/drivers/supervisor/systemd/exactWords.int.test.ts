import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { environmentFile, quoteWord } from '../../../systemd/quoting.ts'

const inside = process.env['TANDEM_LAB_MACHINE'] === '1'
const why = inside ? '' : ' (skipped: needs systemd; make test-lab runs this on its own machine)'
const perUnit = 40
const units = 25

/** Strings made of the special characters of unit files. */
const nasty = oneof(
  string({ unit: constantFrom(...Array.from('"\'\\$%;{}@-+!:#=`~ \t\n\r\u0001\u007f\u0085ab0x')), maxLength: 12 }),
  string({ unit: 'grapheme', maxLength: 12 }),
  constantFrom('${HOME}', '$HOME', '%h', '%%', ';', '\\;', '\\x41', '\\', '"', '-', '', ' ', '\\n', '$$', 'ä\u2028ö'),
)
const text = nasty.map((value) => value.replaceAll('\0', '').toWellFormed())

describe.skipIf(!inside)(`quoting${why}`, () => {
  it('gives a program exactly the requested arguments and environment', () => {
    const seed = Date.now() % 1e9
    console.log(`seed ${seed}`)
    const folder = '/run/tandem-words'
    mkdirSync(folder, { recursive: true })
    const unit = '/run/systemd/system/tandem-words.service'
    onTestFinished(() => {
      rmSync(folder, { recursive: true })
      rmSync(unit, { force: true })
    })
    writeFileSync(
      `${folder}/show.cjs`,
      `
      const { E_A, E_B } = process.env
      require('fs').writeFileSync('${folder}/out', JSON.stringify({ argv: process.argv.slice(2), env: [E_A, E_B] }))`,
    )
    assert(
      property(array(text, { minLength: 1, maxLength: perUnit }), text, text, (argv, a, b) => {
        writeFileSync(`${folder}/env`, environmentFile({ E_A: a, E_B: b }))
        const words = ['/usr/lib/tandem/node', `${folder}/show.cjs`, '--', ...argv].map(quoteWord)
        writeFileSync(unit, `[Service]\nType=oneshot\nEnvironmentFile=${folder}/env\nExecStart=:${words.join(' ')}\n`)
        execFileSync('systemctl', ['daemon-reload'])
        execFileSync('systemctl', ['start', 'tandem-words.service'])
        expect(JSON.parse(readFileSync(`${folder}/out`, 'utf8'))).toEqual({ argv: ['--', ...argv], env: [a, b] })
      }),
      { seed, numRuns: units },
    )
  })
})
