import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createUnitControl } from './unitControl.ts'

/** A `systemctl` that knows no unit files. */
function playSystemctl(): () => string[] {
  const folder = mkdtempSync(join(tmpdir(), 'systemctl-'))
  const program = join(folder, 'systemctl')
  writeFileSync(program, `#!/bin/sh\necho "$*" >>${folder}/asked\n[ "$1" != disable ]\n`)
  chmodSync(program, 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
  onTestFinished(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })
  return () => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')
}

it('the next call removes a trial whose removal was cut off after its file was gone', async () => {
  const asked = playSystemctl()
  const unit = 'tandem-nowhere-trial.service'
  await createUnitControl().removeHelper(unit)
  expect(asked()).toEqual([`disable --quiet ${unit}`, 'daemon-reload'])
})
