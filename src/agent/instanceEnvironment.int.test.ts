import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Definition } from '../definitions/definition.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { instanceEnvironment } from '../drivers/supervisor/instanceEnvironment.ts'
import { aDefinition, makeFolder, release } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
beforeEach(() => {
  folder = makeFolder('environment')
})
afterEach(() => folder.remove())

const agentEnv = {
  ...{ PATH: '/bin', HOME: '/root', LANG: 'C', TZ: 'UTC' },
  ...{ AWS_SECRET: 'no', NODE_OPTIONS: '--inspect', TANDEM_TOKEN: 'no' },
}
const make = (
  over: Partial<Definition> = {},
  port: number | null = 4000,
  settings: Record<string, string> = {},
): ReturnType<typeof instanceEnvironment> =>
  instanceEnvironment(
    {
      definition: aDefinition(over),
      ...{ release, instance: 'shop-1', machine: 'a', port },
      dataFolder: join(folder.path, 'data/shop'),
      ...{ added: {}, settings },
      secretsFolder: folder.path,
    },
    agentEnv,
  )
const secrets = (text: string, mode = 0o600): void =>
  writeFileSync(join(folder.path, 'shop.env'), text, { mode, flag: 'w' })
function refusal(): OperatorError {
  try {
    make()
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe("an instance's environment", () => {
  it('is exactly the contract, and contains nothing else of the agent', () => {
    expect(make({ env: { LOG_LEVEL: 'info' } }).env).toEqual({
      ...{ PORT: '4000', HOST: '127.0.0.1', TANDEM_SERVICE: 'shop', TANDEM_RELEASE: release },
      ...{ TANDEM_INSTANCE: 'shop-1', TANDEM_MACHINE: 'a', TANDEM_DATA: join(folder.path, 'data/shop') },
      ...{ PATH: '/bin', HOME: '/root', LANG: 'C', TZ: 'UTC', LOG_LEVEL: 'info' },
    })
  })
  it('has no PORT if the program listens on no port', () => {
    expect(make({ listen: 'none' }, null).env).not.toHaveProperty('PORT')
  })
  it('lets a definition override PATH, HOME, LANG and TZ', () => {
    const { env } = make({ env: { TZ: 'Europe/Berlin', PATH: 'bin:${PATH}' } })
    expect(env).toMatchObject({ TZ: 'Europe/Berlin', PATH: 'bin:/bin', LANG: 'C' })
  })
  it('lets a setting override them too', () => {
    expect(make({}, 4000, { TZ: 'Europe/Berlin' }).env).toMatchObject({ TZ: 'Europe/Berlin', LANG: 'C' })
  })
  it('replaces names in run, prepare and env', () => {
    const made = make({
      run: ['./s', '--port=${PORT}', '$$HOME'],
      prepare: ['./m', '${A}'],
      env: { A: '${HOST}:${PORT}' },
    })
    expect(made.argv).toEqual(['./s', '--port=4000', '$HOME'])
    expect(made.prepare).toEqual(['./m', '127.0.0.1:4000'])
  })
  it('makes the data folder, for this user alone', () => {
    make()
    expect(statSync(join(folder.path, 'data/shop')).mode & 0o777).toBe(0o700)
    expect(existsSync(join(folder.path, 'shop.env'))).toBe(false)
  })
})

describe('secrets', () => {
  it('override the definition; quotes are removed, comments are skipped', () => {
    secrets('# secret\n\nKEY=va=lue\r\n  QUOTED="a b"\nSINGLE=\'x\'\nODD="y\nLOG_LEVEL=trace\nEMPTY=\n')
    const { env } = make({ env: { LOG_LEVEL: 'info' } })
    expect(env).toMatchObject({ KEY: 'va=lue', QUOTED: 'a b', SINGLE: 'x', ODD: '"y', LOG_LEVEL: 'trace', EMPTY: '' })
  })
  it('are not put into the arguments, which every user of the machine may read', () => {
    secrets('KEY=value\n')
    expect(() => make({ run: ['./s', '${KEY}'] })).toThrow(/KEY.* is not set/)
  })
  it.each([0o640, 0o604, 0o666])('with mode %o are refused, with a command to fix it', (mode) => {
    secrets('KEY=value\n', mode)
    expect(refusal()).toMatchObject({ code: 'E_SECRETS_MODE', next: `chmod 600 ${join(folder.path, 'shop.env')}` })
  })
  it.each(['hunter2', 'export KEY=hunter2', '1KEY=hunter2', 'KEY: hunter2', 'KEY=hun\0ter2 hunter2'])(
    'that are not NAME=value are refused with the line number, without showing the text (%j)',
    (line) => {
      secrets(`GOOD=1\n${line}\n`)
      const error = refusal()
      expect(error.code).toBe('E_DEFINITION')
      expect(error.message).toContain('shop.env:2')
      expect(JSON.stringify(error.body())).not.toContain('hunter2')
    },
  )
  it.each(['TANDEM_DATA', 'TANDEM_TOKEN', 'PORT', 'HOST'])('may not set %s', (name) => {
    secrets(`${name}=hunter2\n`)
    expect(refusal().message).toContain(name)
    expect(refusal().message).not.toContain('hunter2')
  })
  it('have a limit', () => {
    secrets(`KEY=${'x'.repeat(1024 * 1024)}\n`)
    expect(refusal().message).toContain('larger than')
  })
})
